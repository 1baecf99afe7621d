import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { FlowRecord } from '../../parsers/record.ts';
import { Awaited } from './awaited.ts';

/** A real HTTP server that takes newline-delimited records, plain or gzipped, and keeps them. */
export class RecordServer {
  readonly records = new Awaited<FlowRecord>();
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString();
      for (const line of text.split('\n')) if (line !== '') this.records.push(JSON.parse(line));
      response.writeHead(204).end();
    });
  });

  async listen(address = '127.0.0.1'): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, address, resolve));
    return `http://${address}:${(this.#server.address() as AddressInfo).port}/records`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
