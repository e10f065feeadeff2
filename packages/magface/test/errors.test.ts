/** Errors are fields: the message is made of them, and an error keeps them when it is renamed, printed or sent. */
import { expect, test } from 'vitest';
import { ConfigError, errorReply, FormatError, firstLine, ImageError, MagfaceError } from '../src/errors.ts';
import { contrast, sentence } from '../src/fault.ts';
import { receivedError, sentError } from '../src/sent-error.ts';

const fault = new ImageError('image_wrong_size', '/tmp/a b/a', {
  expected: 'a face of 112x112 pixels',
  subject: '/tmp/a b/a',
  problem: 'has 3x3',
  remedy: 'leave out `aligned`',
});

test.each([
  [{ expected: 'a port', received: 99999 }, 'Expected a port but received 99999: fix it.'],
  [{ expected: 'a file', problem: 'it is a folder' }, 'Expected a file but it is a folder: fix it.'],
  [{ expected: 'a face', subject: 'a.jpg', problem: 'shows none' }, 'Expected a face but a.jpg shows none: fix it.'],
  [{ expected: 'either --a or --b' }, 'Expected either --a or --b: fix it.'],
  [{ problem: 'training needs libtorch' }, 'Training needs libtorch: fix it.'],
])('%j is one sentence', (parts, expected) => {
  expect(sentence({ ...parts, remedy: 'fix it' })).toBe(expected);
});

test('a question ends in its own mark', () => {
  const asked = { expected: 'an id', received: 'x', remedy: 'check its spelling; did you mean y?' };
  expect(sentence(asked)).toBe('Expected an id but received x: check its spelling; did you mean y?');
  expect(contrast(asked)).toBe('expected an id but received x');
});

test('a file and the byte come before the sentence', () => {
  const error = new FormatError(
    'a.npy',
    { expected: 'more', problem: 'it ends', remedy: 'copy it again' },
    { offset: 7 },
  );
  expect(error.message).toBe('a.npy (at byte 7): Expected more but it ends: copy it again.');
});

test('an error takes over the fields of another', () => {
  const cause = new ConfigError('folder', { expected: 'a folder', received: 3, remedy: 'choose another' });
  const error = new ConfigError('output', cause, { cause });
  expect(error).toMatchObject({ key: 'output', received: '3', message: cause.message });
});

test('a renamed error changes image and remedy but keeps the rest', () => {
  expect(fault.named('a').message).toBe('Expected a face of 112x112 pixels but a has 3x3: leave out `aligned`.');
  const told = fault.named('a', 'leave out --aligned');
  expect(told).toMatchObject({ code: 'image_wrong_size', image: 'a', subject: 'a', problem: 'has 3x3' });
  expect(told.message).toMatch(/: leave out --aligned\.$/);
  expect(told.named('/tmp/a b/a', 'leave out `aligned`').message).toBe(fault.message);
});

test('JSON has the code, the message and all fields; a reply has no further fields', () => {
  const { image: _, name: __, ...reply } = JSON.parse(JSON.stringify(fault));
  expect(reply).toEqual({
    code: 'image_wrong_size',
    message: fault.message,
    subject: '/tmp/a b/a',
    expected: 'a face of 112x112 pixels',
    problem: 'has 3x3',
    remedy: 'leave out `aligned`',
  });
  expect(errorReply(fault)).toEqual(reply);
});

test('an error sent between threads keeps its class, fields and causes', () => {
  const cause = new Error('the disk failed', { cause: new TypeError('a defect') });
  const error = new ImageError('image_unreadable', 'a', fault, { cause });
  const received = receivedError(structuredClone(sentError(error))) as ImageError;
  expect(received).toBeInstanceOf(ImageError);
  expect(received.toJSON()).toEqual(error.toJSON());
  expect(received.named('b').message).toBe(error.named('b').message);
  expect(received.cause).toMatchObject({ name: 'Error', message: 'the disk failed', stack: cause.stack });
  expect((received.cause as Error).cause).toMatchObject({ name: 'TypeError', message: 'a defect' });
  expect(received.cause).not.toBeInstanceOf(MagfaceError);
});

test('other software is quoted by its first line', () => {
  expect(firstLine(new Error('it broke.\n  at line 3'))).toBe('it broke');
  expect(firstLine('gone')).toBe('gone');
});
