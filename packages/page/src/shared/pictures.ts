/** Creates previews, faces cropped from photos, and aligned crops as files. */
import type { Box, Pixels } from 'magface/browser';
import { useEffect, useState } from 'preact/hooks';
import type { Preview } from '../album/photo.ts';

/** A crop is this many times as large as the box, so that it includes hair and chin. */
const surroundings = 1.7;
const previewSide = 1200;
const jpeg = { type: 'image/jpeg', quality: 0.9 } as const;

/** @returns a small JPEG, and the size of the whole picture */
export async function previewOf(picture: Blob): Promise<Preview> {
  const bitmap = await createImageBitmap(picture);
  const { width, height } = bitmap;
  const blob = await drawn(bitmap, { x: 0, y: 0, width, height }, Math.min(1, previewSide / Math.max(width, height)));
  bitmap.close();
  return { blob, width, height };
}

/** @returns the object URL of a blob, which is revoked when the component is gone; undefined at first */
export function useAddress(blob: Blob | undefined): string | undefined {
  const [address, setAddress] = useState<string | undefined>(undefined);
  useEffect(() => {
    if (blob === undefined) return;
    const made = URL.createObjectURL(blob);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return address;
}

/** @returns the face with its surroundings as a JPEG, at the photo's resolution */
export function cutOut(photo: ImageBitmap, box: Box): Promise<Blob> {
  const side = surroundings * Math.max(box.width, box.height);
  const [centreX, centreY] = [box.x + box.width / 2, box.y + box.height / 2];
  const [left, top] = [Math.max(0, centreX - side / 2), Math.max(0, centreY - side / 2)];
  const [right, bottom] = [Math.min(photo.width, centreX + side / 2), Math.min(photo.height, centreY + side / 2)];
  const part = { x: Math.round(left), y: Math.round(top), width: right - left, height: bottom - top };
  return drawn(photo, part, 1);
}

/** @returns the aligned face as a PNG, exactly as the recogniser saw it */
export const cropFile = (crop: Pixels): Promise<Blob> => canvasOf(crop).convertToBlob({ type: 'image/png' });

export const jpegOf = (pixels: Pixels): Promise<Blob> => canvasOf(pixels).convertToBlob(jpeg);

function canvasOf(pixels: Pixels): OffscreenCanvas {
  const canvas = new OffscreenCanvas(pixels.width, pixels.height);
  canvas.getContext('2d')!.putImageData(imageData(pixels), 0, 0);
  return canvas;
}

export function imageData({ data, width, height }: Pixels): ImageData {
  const image = new ImageData(width, height);
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
    image.data[to] = data[from]!;
    image.data[to + 1] = data[from + 1]!;
    image.data[to + 2] = data[from + 2]!;
    image.data[to + 3] = 255;
  }
  return image;
}

function drawn(source: ImageBitmap, { x, y, width, height }: Box, scale: number): Promise<Blob> {
  const size = (length: number): number => Math.max(1, Math.round(length * scale));
  const canvas = new OffscreenCanvas(size(width), size(height));
  const context = canvas.getContext('2d')!;
  context.imageSmoothingQuality = 'high';
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, x, y, width, height, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob(jpeg);
}
