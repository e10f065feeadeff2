/** An image's fault is told by whoever asked for the image, under their name for it, with what they can do. */
import { expect, test } from 'vitest';
import { ImageError, wording } from '../src/errors.ts';
import { receivedError, sentError } from '../src/sent-error.ts';

const fault = new ImageError(
  'image_wrong_size',
  '/tmp/a b/a',
  wording((image) => `Expected a face of 112x112 pixels at ${image} but ${image} has 3x3`, 'leave out `aligned`'),
);

test('the message contains the image and ends with the remedy', () => {
  expect(fault.message).toBe(
    'Expected a face of 112x112 pixels at /tmp/a b/a but /tmp/a b/a has 3x3: leave out `aligned`.',
  );
});

test('a renamed error changes image and remedy but keeps the description', () => {
  expect(fault.named('a').message).toBe('Expected a face of 112x112 pixels at a but a has 3x3: leave out `aligned`.');
  const told = fault.named('a', 'leave out --aligned');
  expect(told).toMatchObject({ code: 'image_wrong_size', image: 'a' });
  expect(told.message).toMatch(/: leave out --aligned\.$/);
  expect(told.named('/tmp/a b/a', 'leave out `aligned`').message).toBe(fault.message);
});

test('renaming also works after transfer between threads', () => {
  const received = receivedError(structuredClone(sentError(fault)));
  expect(received).toBeInstanceOf(ImageError);
  expect((received as ImageError).named('b').message).toBe(fault.named('b').message);
});

test('a message that was passed whole stays unchanged', () => {
  const whole = new ImageError('no_face', 'a', 'Expected a face in a but found none: try another photo.');
  expect(whole.named('b')).toMatchObject({ image: 'b', message: whole.message });
});
