/**
 * Faces in an image of any size: views of it go through the network one by one, each decoder reads its own outputs, and
 * a face that several views show is kept once. Options only filter: a face that is found has the same numbers whatever
 * `minScore`, `minFace` and `maxFaces` are, since the coarsest view that shows it decides.
 */

import type { DetectedFace } from '../face.ts';
import type { DetectorContract } from '../models/contract.ts';
import type { Pixels } from '../pixels.ts';
import { blazeface } from './blazeface.ts';
import { closable } from './closable-session.ts';
import type { Decoder } from './decoder.ts';
import type { DetectOptions } from './expect-options.ts';
import { expectDetectOptions } from './expect-options.ts';
import { bySureness, type Looker } from './look.ts';
import { type Scene, sceneOf } from './scene.ts';
import { confirmed, search, searchTurned, sumOfScores } from './search.ts';
import type { Session } from './session.ts';
import { defaultMinFace, planViews } from './views.ts';
import { yunet } from './yunet.ts';

const decoders: Record<DetectorContract['decoder'], Decoder> = { yunet, blazeface };

export interface DetectorOptions {
  /** The model as people call it, for errors. */
  readonly name: string;
}

/** Finds faces; owns its session. */
export interface Detector {
  /** @returns the faces, largest first */
  detect(image: Pixels | Scene, options?: DetectOptions): Promise<DetectedFace[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** @throws {ModelError} `model_run_failed` from `detect` when the network is not what the contract says */
export function createDetector(own: Session, contract: DetectorContract, { name }: DetectorOptions): Detector {
  const session = closable(own);
  const decoder = decoders[contract.decoder];
  const looker: Looker = { session, contract, decoder, name };
  const { width, height } = contract.input;
  const frame = width === undefined || height === undefined ? decoder.frame : { width, height };
  const multiple = frame === decoder.frame ? decoder.multiple : undefined;

  const detect = async (image: Pixels | Scene, options: DetectOptions = {}): Promise<DetectedFace[]> => {
    const { minScore = decoder.minScore, minFace, maxFaces, signal } = options;
    expectDetectOptions(options);
    const scene = sceneOf(image);
    const levels = planViews(scene, { ...decoder, frame, multiple, minFace: minFace ?? defaultMinFace(scene) });
    const found = await search(looker, scene, levels, { minScore, signal });
    const upright = await confirmed(looker, scene, found, { frame, signal });
    // How the image lies is judged by what the decoder is sure of, whatever the caller's least score is. A face that stands
    // on its head is sometimes found as a weak one.
    const [sure] = bySureness(upright, decoder);
    const isCertain = sure.some(({ detection }) => detection >= decoder.certainScore);
    const lying = isCertain ? [] : await searchTurned(looker, scene, levels[0]![0]!, signal);
    return (sumOfScores(lying) > sumOfScores(sure) ? lying : upright)
      .filter(({ detection }) => detection >= minScore)
      .filter(({ box }) => minFace === undefined || Math.max(box.width, box.height) >= minFace)
      .sort((a, b) => b.box.width * b.box.height - a.box.width * a.box.height)
      .slice(0, maxFaces);
  };

  return { detect, [Symbol.asyncDispose]: () => session.release() };
}
