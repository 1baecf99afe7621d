import type { Shape } from '../sinks/shaped-sink.ts';
import type { SinkConfig } from './config/schema.ts';
import type { EncodingOptions } from './config/sinks/encoding.ts';
import { compileShape } from './stages/shape.ts';
import { compileTemplate } from './stages/template.ts';
import { version } from './version.ts';

/**
 * Makes what a sink's `encoding` and `shape` name, the shape being that of what the encoding makes; undefined where
 * records go out as they are. An encoding that is not configured is not loaded.
 */
export async function loadEncoding(config: SinkConfig): Promise<Shape | undefined> {
  const encode = 'encoding' in config ? await loadCodec(config.encoding) : undefined;
  const change = config.shape && compileShape(config.shape);
  if (encode === undefined || change === undefined) return encode ?? change;
  return (record) => {
    const encoded = encode(record);
    return typeof encoded === 'string' ? encoded : change(encoded);
  };
}

async function loadCodec(options: EncodingOptions): Promise<Shape | undefined> {
  switch (options.codec) {
    case 'gke':
      return undefined;
    case 'ecs':
      return (await import('../sinks/encodings/ecs.ts')).encodeEcs;
    case 'calico_flow':
      return (await import('../sinks/encodings/calico-flow.ts')).encodeCalicoFlow;
    case 'cef':
      return (await import('../sinks/encodings/cef.ts')).cefEncoder(version);
    case 'template':
      return compileTemplate(options.template!, options.missing);
  }
}
