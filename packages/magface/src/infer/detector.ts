/**
 * Finds faces in an image of any size: the network runs on views one by one, the family's decoder reads the outputs, and
 * faces in several views are kept once. Options only filter: a face has the same numbers for any `minScore`,
 * `minFace` and `maxFaces`, since the coarsest view that shows it decides.
 */
import type { DetectedFace } from '../face.ts';
import type { DetectorContract } from '../models/contract.ts';
import type { Pixels } from '../pixels.ts';
import { blazeface } from './blazeface.ts';
import { closable } from './closable-session.ts';
import type { Decoder } from './decoder.ts';
import { type DetectOptions, expectDetectOptions } from './expect-options.ts';
import { bySureness, type Looker } from './look.ts';
import { type Scene, sceneOf } from './scene.ts';
import { confirmed, search, searchTurned, sumOfScores } from './search.ts';
import type { Session } from './session.ts';
import { defaultMinFace, planViews } from './views.ts';
import { yunet } from './yunet.ts';

const decoders: Record<DetectorContract['decoder'], Decoder> = { yunet, blazeface };

export interface DetectorOptions {
  /** The model's name, for errors. */
  readonly name: string;
}

/** Finds faces; owns its session. */
export interface Detector {
  /** @returns the faces, largest first */
  detect(image: Pixels | Scene, options?: DetectOptions): Promise<DetectedFace[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** @throws {ModelError} `model_run_failed` from `detect` if the network does not match the contract */
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
    // Only confident faces decide the orientation, for any minimum score of the caller. An upside-down face is
    // sometimes found with a low score.
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
