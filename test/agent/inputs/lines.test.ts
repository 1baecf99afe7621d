import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineSplitter, type LineState } from '../../../agent/inputs/lines.ts';
import { plainFormat } from '../../helpers/file-logs.ts';

interface Seen {
  lines: string[];
  offsets: number[];
  foreign: number;
  refused: number;
  nuls: number;
  passedOver: number;
}

/**
 * Splits `bytes` as a reader does that gets so many bytes at a time; the rest counts as a finished file's. A sequel that
 * does not follow a line with a needle is foreign, as it is to parsers.
 */
function split(
  bytes: Buffer,
  needles: string[],
  lineBytesMax: number,
  buffer = 4096,
  sequels: string[] = [],
): Seen {
  const seen: Seen = { lines: [], offsets: [], foreign: 0, refused: 0, nuls: 0, passedOver: 0 };
  const format = plainFormat(needles);
  let passedOver = 0;
  let follows = false;
  const file: LineState = {
    parser: format.open(),
    offset: 0,
    skipping: false,
    recordId: () => Buffer.alloc(0),
  };
  const splitter = new LineSplitter({ needles, sequels }, lineBytesMax, (count) => {
    seen.nuls += count;
  });
  const handler = {
    line: (_: unknown, chunk: Buffer, start: number, end: number, offset: number) => {
      const line = chunk.toString('latin1', start, end);
      if (needles.some((needle) => line.includes(needle))) follows = true;
      else if (needles.length > 0 && (!follows || format.passedOver > passedOver)) follows = false;
      passedOver = format.passedOver;
      if (needles.length > 0 && !follows) {
        seen.foreign++;
        return;
      }
      seen.lines.push(line);
      seen.offsets.push(offset);
    },
    foreign: (lines: number) => {
      seen.foreign += lines;
    },
    refused: () => {
      seen.refused++;
    },
  };
  const chunk = Buffer.alloc(buffer);
  for (;;) {
    const end = bytes.copy(chunk, 0, file.offset, file.offset + buffer);
    const consumed = splitter.split(file, chunk, end, handler);
    if (consumed === 0) {
      splitter.rest(file, chunk, end, handler);
      break;
    }
    file.offset += consumed;
  }
  seen.passedOver = format.passedOver;
  return seen;
}

const text = (value: string) => Buffer.from(value, 'latin1');

describe('lines', () => {
  test.each([
    ['whole lines', 'a\nb\n', ['a', 'b']],
    ['a last line without newline', 'a\nb', ['a', 'b']],
    ['CRLF', 'a\r\nb\r\n\r\n', ['a', 'b', '']],
    ['a CR within a line stays', 'a\rb\n', ['a\rb']],
    ['empty lines', '\n\na\n', ['', '', 'a']],
    ['bytes that are not UTF-8', 'a\xff\xfe\nb\xc3\n', ['a\xff\xfe', 'b\xc3']],
    ['nothing', '', []],
    ['NULs before a line', '\0\0\0a\n', ['a']],
    ['NULs between lines', 'a\n\0\0b\n', ['a', 'b']],
    ['NULs after a torn line end it', 'to\0\0\0\0a\n', ['to', 'a']],
    ['NULs at the end of a finished file', 'a\nto\0\0', ['a', 'to']],
  ])('%s', (_, bytes, lines) => {
    const seen = split(text(bytes), [], 100);
    expect(seen.lines).toEqual(lines);
    expect(seen.nuls).toBe(bytes.split('\0').length - 1);
  });

  test('a line may be as long as allowed, and one byte more is refused once', () => {
    const long = 'x'.repeat(100);
    expect(split(text(`${long}\n${long}x\n${long}\n`), [], 100)).toMatchObject({
      lines: [long, long],
      refused: 1,
    });
    expect(split(text(`a\n${'x'.repeat(50_000)}\nb\n`), [], 100)).toMatchObject({
      lines: ['a', 'b'],
      refused: 1,
    });
  });

  test('lines without a needle are counted, not handed over; the parser hears of them', () => {
    const seen = split(
      text('no\nyes calico-packet: 1\nno\nno\ncalico-packet: 2\r\ncalico-packet: 3\nno\n'),
      ['calico-packet'],
      100,
    );
    expect(seen.lines).toEqual(['yes calico-packet: 1', 'calico-packet: 2', 'calico-packet: 3']);
    expect(seen.offsets).toEqual([3, 30, 48]);
    expect(seen.foreign).toBe(4);
    expect(seen.passedOver).toBe(3);
  });

  test('several needles, alike and unlike', () => {
    const bytes = text('calico-drop: 1\nother\nmessage repeated\ncalico-packet: 2\n');
    const all = ['calico-drop: 1', 'message repeated', 'calico-packet: 2'];
    expect(split(bytes, ['calico-packet', 'calico-drop', 'message repeated'], 100).lines).toEqual(all);
    expect(split(bytes, ['calico-packet', 'calico-drop'], 100).lines).toEqual([all[0], all[2]]);
  });

  test('a sequel is handed over where it follows a line that was, and is foreign elsewhere', () => {
    const bytes = text('again\nx\nneedle\nx again x\nagain\nx\nagain\nneedle\nx\nneedle\nagain');
    const seen = split(bytes, ['needle'], 100, 4096, ['again']);
    expect(seen.lines).toEqual(['needle', 'x again x', 'again', 'needle', 'needle', 'again']);
    expect(seen.foreign).toBe(5);
  });

  test('equal to a plain reading, at whatever chunk size', () => {
    const part = fc.oneof(
      fc.constantFrom(
        '\n',
        '\r\n',
        'needle',
        'need',
        'eed n',
        'again',
        '\nagain',
        '\0\0',
        'x'.repeat(70),
        'ä',
        ' ',
      ),
      fc.string({ maxLength: 8 }),
    );
    const bytes = fc.array(part, { maxLength: 60 }).map((parts) => text(parts.join('')));
    fc.assert(
      fc.property(bytes, fc.integer({ min: 130, max: 600 }), fc.boolean(), (input, buffer, all) => {
        const needles = all ? [] : ['needle', 'eed n'];
        const sequels = all ? [] : ['again'];
        const seen = split(input, needles, 64, buffer, sequels);
        const plain = plainly(input, needles, 64, sequels);
        expect({ ...seen, passedOver: 0, offsets: [] }).toEqual({ ...plain, passedOver: 0, offsets: [] });
        for (const [i, line] of seen.lines.entries()) {
          expect(input.toString('latin1', seen.offsets[i]!, seen.offsets[i]! + line.length)).toBe(line);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

/** The plain reference: no chunks, no needles in raw bytes. */
function plainly(bytes: Buffer, needles: string[], lineBytesMax: number, sequels: string[]): Seen {
  const seen: Seen = { lines: [], offsets: [], foreign: 0, refused: 0, nuls: 0, passedOver: 0 };
  const value = bytes.toString('latin1');
  seen.nuls = value.split('\0').length - 1;
  const pieces = value.split(/(\n|\0+)/);
  const holds = (line: string, texts: string[]) => texts.some((one) => line.includes(one));
  let follows = false;
  for (let i = 0; i < pieces.length; i += 2) {
    const ended = pieces[i + 1];
    // NULs after a newline, or at the end, end no line.
    if (pieces[i] === '' && ended !== '\n') continue;
    const line = pieces[i]!;
    if (line.length > lineBytesMax) {
      seen.refused++;
      continue;
    }
    follows = needles.length === 0 || holds(line, needles) || (follows && holds(line, sequels));
    if (!follows) seen.foreign++;
    else seen.lines.push(line.endsWith('\r') ? line.slice(0, -1) : line);
  }
  return seen;
}
