/** The camera as a person hurries it: permission that comes late, and starts close behind stops. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { camera, problem, rate, seen, startCamera, stopCamera } from '../../src/camera/camera.ts';

const analyze = vi.fn(async () => []);
vi.mock('../../src/library.ts', () => ({ openLibrary: async () => ({ analyze }) }));

/** What the person answers when the browser asks, one a start. */
let asked: Answer[] = [];
const video = { srcObject: null, play: async () => undefined } as unknown as HTMLVideoElement;

interface Answer {
  readonly resolve: (stream: MediaStream) => void;
  readonly reject: (error: unknown) => void;
}

const getUserMedia = (): Promise<MediaStream> =>
  new Promise((resolve, reject) => {
    asked.push({ resolve, reject });
  });

/** A stream that knows whether it runs. */
function newStream(): MediaStream & { readonly runs: boolean } {
  const track = { readyState: 'live', stop: () => Object.assign(track, { readyState: 'ended' }) };
  const stream = {
    getTracks: () => [track],
    get runs() {
      return track.readyState === 'live';
    },
  };
  return stream as unknown as MediaStream & { readonly runs: boolean };
}

/** Turns of the event loop, so that all that can go on has gone on. */
const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('navigator', { mediaDevices: { getUserMedia } });
  vi.stubGlobal('createImageBitmap', async () => ({ width: 640, height: 480, close: () => undefined }));
});
afterEach(async () => {
  stopCamera(video);
  await vi.advanceTimersByTimeAsync(1000); // loops see that they are over
  vi.unstubAllGlobals();
  vi.useRealTimers();
  analyze.mockClear();
  asked = [];
});

test('permission that arrives after the stop leaves no camera running', async () => {
  void startCamera(video);
  stopCamera(null); // the view was left: its element is gone
  const late = newStream();
  asked[0]!.resolve(late);
  await settled();
  expect([late.runs, video.srcObject, camera.value, problem.value]).toEqual([false, null, 'off', undefined]);
});

test('a denial that arrives after the stop is ignored', async () => {
  void startCamera(video);
  stopCamera(video);
  void startCamera(video);
  asked[0]!.reject(new DOMException('', 'NotAllowedError'));
  await settled();
  expect([camera.value, problem.value]).toEqual(['starting', undefined]);
});

test('the last of two starts wins, with its own stream', async () => {
  void startCamera(video);
  stopCamera(video);
  void startCamera(video);
  const [first, second] = [newStream(), newStream()];
  asked[1]!.resolve(second);
  await settled();
  asked[0]!.resolve(first);
  await settled();
  expect([first.runs, second.runs, camera.value]).toEqual([false, true, 'on']);
  expect(video.srcObject).toBe(second);
});

test('a start right after a stop analyses each picture once', async () => {
  void startCamera(video);
  asked[0]!.resolve(newStream());
  await settled();
  expect(camera.value).toBe('on');
  stopCamera(video);
  void startCamera(video);
  asked[1]!.resolve(newStream());
  await settled();
  analyze.mockClear();
  await vi.advanceTimersByTimeAsync(2000); // a picture every 200 ms
  expect(analyze).toHaveBeenCalledTimes(10);
});

test('nothing is analysed and no rate is shown after a stop', async () => {
  void startCamera(video);
  asked[0]!.resolve(newStream());
  await vi.advanceTimersByTimeAsync(500);
  expect(rate.value).toBeGreaterThan(0);
  stopCamera(video);
  await vi.advanceTimersByTimeAsync(500);
  expect([seen.value, rate.value]).toEqual([undefined, 0]);
});
