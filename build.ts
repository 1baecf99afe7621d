import { chmod, readFile, rm } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';

// Bundles the agent into dist/: one executable file, and beside it chunks that are loaded when something needs them.

const OUT = 'dist/policy-log-agent.mjs';

/**
 * Takes Node's own modules at the moment they are needed instead of importing them all at the top: a command
 * loads only what it uses, packages written for `require` need no shim, and an old Node.js gets as far as the
 * sentence that says what is wrong, although it has no `node:sqlite`. Of a module only the names are touched that are
 * imported, for some names of `node:util` load other modules; and each importer takes them itself, so that they are no
 * chunk of their own.
 */
const builtinsWhenNeeded: Plugin = {
  name: 'builtins-when-needed',
  setup({ onResolve, onLoad }) {
    const bare = builtinModules.filter((name) => !name.startsWith('_') && !name.startsWith('node:'));
    onResolve({ filter: new RegExp(`^(node:.+|${bare.join('|')})$`) }, ({ path, importer, kind }) => ({
      path: path.startsWith('node:') ? path : `node:${path}`,
      namespace: kind === 'import-statement' ? 'imported-builtin' : 'required-builtin',
      suffix: `?${importer}`,
    }));
    onLoad({ filter: /.*/, namespace: 'required-builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('${path}')`,
    }));
    onLoad({ filter: /.*/, namespace: 'imported-builtin' }, ({ path }) => ({
      contents: [
        `const it = process.getBuiltinModule('${path}'); export default it;`,
        ...Object.keys(process.getBuiltinModule(path) ?? {})
          .filter((name) => name !== 'default')
          .map((name) => `export const ${name} = /* @__PURE__ */ (() => it?.${name})();`),
      ].join('\n'),
    }));
  },
};

/**
 * What packages load for parts of theirs that the agent does not use: transports and threads of pino; cluster metrics,
 * pushes and traces of prom-client; programs as subcommands of commander. Together 1.4 MB of memory and a tenth of the
 * time until the agent runs. What is left out is a function that does nothing, as `assert` may be.
 */
const leftOut: Plugin = {
  name: 'left-out',
  setup({ onResolve, onLoad }) {
    onResolve(
      {
        filter:
          /^\.(\/lib)?\/(transport|cluster|pushgateway)$|^@opentelemetry\/api$|^(node:)?(assert|child_process|worker_threads)$/,
      },
      ({ path, importer }) =>
        /node_modules\/(pino|sonic-boom|prom-client|commander)\//.test(importer)
          ? { path, namespace: 'left-out' }
          : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: 'module.exports = () => {};' }));
  },
};

/**
 * Of the Kafka client the producer: what it has for consumers and administrators, schema registries, and the checks of
 * options (which it makes only when it is told to) are 600 KB and half its memory.
 */
const kafkaProducer: Plugin = {
  name: 'kafka-producer',
  setup({ onResolve, onLoad }) {
    const folder = resolve('node_modules/@platformatic');
    onResolve({ filter: /^@platformatic\/kafka$/ }, () => ({
      path: join(folder, 'kafka/dist/clients/producer/index.js'),
    }));
    // The same with its WebAssembly inside, for chunks stand alone.
    onResolve({ filter: /^@platformatic\/wasm-utils$/ }, () => ({
      path: join(folder, 'wasm-utils/dist/bundled.js'),
    }));
    onResolve(
      { filter: /^\.\/(admin|consumer|telemetry)\/[\w-]+\.js$|^@node-rs\/|^ajv/ },
      ({ path, importer }) => {
        if (!importer.startsWith(join(folder, 'kafka'))) return undefined;
        return { path, namespace: path.startsWith('ajv') ? 'no-checks' : 'left-out' };
      },
    );
    onLoad({ filter: /.*/, namespace: 'no-checks' }, () => ({
      contents: 'exports.Ajv2020 = class { addKeyword() {} compile() { return () => true; } };',
    }));
  },
};

/**
 * Puts named numbers where they are used. esbuild does so only with constants of files that import nothing; of others it
 * makes variables, which V8 reads and checks at each use: a tenth of what a line costs. So the numbers of each of our
 * files become a file of their own.
 */
const numbersInPlace: Plugin = {
  name: 'numbers-in-place',
  setup({ onResolve, onLoad }) {
    const constant = /^(export )?const ([A-Z][A-Z0-9_]*) = (.+);$/gm;
    const name = /\b[A-Z][A-Z0-9_]*\b/g;
    const numeric = /^([-+*/%<>|&()\s]|0x[\da-f]+|[\d_.]+)+$/i;
    const numbersOf = new Map<string, string>();
    onLoad({ filter: /\/(agent|parsers|sinks)\/.+\.ts$/, namespace: 'file' }, async ({ path }) => {
      const names: string[] = [];
      const exported: string[] = [];
      let numbers = '';
      const rest = (await readFile(path, 'utf8')).replace(constant, (line, exports, own, value) => {
        const isNumber = numeric.test(
          value.replace(name, (other: string) => (names.includes(other) ? '0' : other)),
        );
        if (!isNumber) return line;
        names.push(own);
        if (exports) exported.push(own);
        numbers += `export const ${own} = ${value};\n`;
        return '';
      });
      numbersOf.set(path, numbers);
      const link = `import { ${names} } from ${JSON.stringify(`numbers:${path}`)}; export { ${exported} };`;
      return { contents: names.length > 0 ? link + rest : rest, loader: 'ts' };
    });
    onResolve({ filter: /^numbers:/ }, ({ path }) => ({
      path: path.slice('numbers:'.length),
      namespace: 'numbers',
    }));
    onLoad({ filter: /.*/, namespace: 'numbers' }, ({ path }) => ({ contents: numbersOf.get(path)! }));
  },
};

await rm('dist', { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: ['agent/main.ts'],
  outdir: 'dist',
  entryNames: 'policy-log-agent',
  chunkNames: 'chunks/[name]-[hash]',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  mainFields: ['module', 'main'],
  // Whitespace and syntax only: names stay, so that a stack trace can be read.
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: 'external',
  legalComments: 'eof',
  plugins: [leftOut, kafkaProducer, numbersInPlace, builtinsWhenNeeded],
  metafile: true,
  logLevel: 'warning',
});
await chmod(OUT, 0o755);
const files = Object.entries(metafile.outputs).filter(([path]) => path.endsWith('.mjs'));
const bytes = files.reduce((sum, [, output]) => sum + output.bytes, 0);
process.stdout.write(`${OUT} and ${files.length - 1} chunks: ${(bytes / 1024).toFixed(0)} KiB\n`);
