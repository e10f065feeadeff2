/** The video element takes over from a decoder that fails. `analyze-video.test.ts` opens clips in Chromium. */
import { expect, type Mock, test, vi } from 'vitest';
import type { FrameSource, OpenClip } from '../../src/browser/clip.ts';
import { elseByElement } from '../../src/browser/open-clip.ts';

interface MadeUpClip extends OpenClip {
  readonly close: Mock<() => void>;
}

/** A clip whose frames are their numbers, and which fails after some. */
function clipOf(source: FrameSource, frames: number, fails?: Error): MadeUpClip {
  return {
    source,
    duration: 2,
    frames: async function* (_, from = 0) {
      for (let i = from; i < frames; i++) yield i as unknown as ImageBitmap;
      if (fails !== undefined) throw fails;
    },
    close: vi.fn<() => void>(),
  };
}

async function numbers(clip: OpenClip): Promise<unknown[]> {
  const seen = [];
  for await (const frame of clip.frames(5)) seen.push(frame, clip.source);
  return seen;
}

test('the element goes on with the frame at which the decoder fails', async () => {
  const [decoded, played] = [clipOf('webcodecs', 2, new Error('no more')), clipOf('element', 4)];
  const clip = elseByElement(decoded, async () => played);
  expect(await numbers(clip)).toEqual([0, 'webcodecs', 1, 'webcodecs', 2, 'element', 3, 'element']);
  expect(decoded.close).toHaveBeenCalledOnce();
  clip.close();
  expect(played.close).toHaveBeenCalledOnce();
});

test('the element is not opened if the decoder reads all', async () => {
  const play = vi.fn();
  expect(await numbers(elseByElement(clipOf('webcodecs', 1), play))).toEqual([0, 'webcodecs']);
  expect(play).not.toHaveBeenCalled();
});

test('nothing is opened after closing, and what opens meanwhile is closed', async () => {
  const play = vi.fn();
  const closed = elseByElement(clipOf('webcodecs', 0, new Error('closed')), play);
  closed.close();
  await expect(numbers(closed)).rejects.toThrow('closed');
  expect(play).not.toHaveBeenCalled();

  const played = clipOf('element', 4);
  const closing: OpenClip = elseByElement(clipOf('webcodecs', 0, new Error('no more')), async () => {
    closing.close();
    return played;
  });
  expect(await numbers(closing)).toEqual([]);
  expect(played.close).toHaveBeenCalledOnce();
});
