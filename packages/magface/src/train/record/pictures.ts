/** Data for the report's pictures, collected during the run and kept in `pictures.json`. */
import { existsSync, readFileSync } from 'node:fs';
import { writeWhole } from '../../format/file-writer.ts';
import type { PackedImage } from '../../format/packed-image.ts';
import { hash } from '../data/sample-order.ts';
import type { Sample } from '../data/samples.ts';
import type { StepResult } from '../loop/learner.ts';

/** A face in the report's strip. */
export interface PicturedFace {
  readonly path: string;
  /** Location in the file `path`, if that is a packed file. */
  readonly within?: PackedImage;
  readonly magnitude: number;
}

export interface Pictures {
  /** For each epoch, how many samples had a magnitude within [i, i + 1). */
  readonly histograms: readonly { readonly epoch: number; readonly counts: readonly number[] }[];
  /** For the newest epoch, magnitude and cosine with the own class of randomly drawn samples. */
  readonly points: readonly (readonly [magnitude: number, cosine: number])[];
  /** Faces of the newest epoch, ascending. */
  readonly lowest: readonly PicturedFace[];
  /** Faces of the newest epoch, descending. */
  readonly highest: readonly PicturedFace[];
}

const mostPoints = 2000;
const stripLength = 12;

/** Collects one epoch at a time. */
export class PictureBook {
  #histograms: { epoch: number; counts: number[] }[];
  #points: (readonly [number, number])[] = [];
  #lowest: PicturedFace[] = [];
  #highest: PicturedFace[] = [];
  #epoch = -1;
  #seen = 0;

  /** @param before - pictures of epochs before resuming */
  constructor(before: Pictures | undefined, epoch: number) {
    this.#histograms = (before?.histograms ?? [])
      .filter((one) => one.epoch < epoch)
      .map((one) => ({ epoch: one.epoch, counts: [...one.counts] }));
  }

  /** @param samples - (N): the batch */
  add(epoch: number, { magnitudes, targetCosines }: StepResult, samples: readonly Sample[]): void {
    if (epoch !== this.#epoch) this.#begin(epoch);
    const counts = this.#histograms.at(-1)!.counts;
    for (const [i, magnitude] of magnitudes.entries()) {
      const bin = Math.floor(magnitude);
      while (counts.length <= bin) counts.push(0);
      counts[bin]!++;
      this.#draw([magnitude, targetCosines[i]!]);
    }
    const faces = samples.map(({ path, within }, i) => ({
      path,
      ...(within && { within }),
      magnitude: magnitudes[i]!,
    }));
    this.#lowest = [...this.#lowest, ...faces].sort((a, b) => a.magnitude - b.magnitude).slice(0, stripLength);
    this.#highest = [...this.#highest, ...faces].sort((a, b) => b.magnitude - a.magnitude).slice(0, stripLength);
  }

  get pictures(): Pictures {
    return { histograms: this.#histograms, points: this.#points, lowest: this.#lowest, highest: this.#highest };
  }

  #begin(epoch: number): void {
    this.#epoch = epoch;
    this.#histograms.push({ epoch, counts: [] });
    this.#points = [];
    this.#lowest = [];
    this.#highest = [];
    this.#seen = 0;
  }

  /** Keeps every point with equal probability (reservoir sampling). */
  #draw(point: readonly [number, number]): void {
    const place = hash(this.#epoch, this.#seen++, 7) % this.#seen;
    if (this.#points.length < mostPoints) this.#points.push(point);
    else if (place < mostPoints) this.#points[place] = point;
  }
}

export function readPictures(file: string): Pictures | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Pictures) : undefined;
}

export async function writePictures(file: string, pictures: Pictures): Promise<void> {
  await writeWhole(file, Buffer.from(JSON.stringify(pictures)));
}
