/**
 * Alignment that does not depend on the detector. A small network sees the face and its surroundings, cut out by the
 * detector's landmarks, and predicts the similarity transform by which that cut is off:
 *
 *     q ↦ R (q − c) + c + t,   R = [[1 + 0.3 o₁, −0.4 o₂], [0.4 o₂, 1 + 0.3 o₁]],   t = (15 o₃, 15 o₄)
 *
 * from the correct place of a point in the 112x112 template to its place in the cut; o are its outputs and c is the middle
 * of the face. Later looks, at the corrected cut, start from nearly the same picture for any detector. The fifth
 * output is the logarithm of the expected error, in pixels of the crop.
 *
 * `scripts/aligner.ts` trains it; docs/design.md has the data.
 */
import { Tensor } from 'onnxruntime-common';
import { alignmentMatrix, inverseOf, mapped, scaledMatrix } from '../align.ts';
import { firstLine, MagfaceError, ModelError } from '../errors.ts';
import type { AffineMatrix, DetectedFace } from '../face.ts';
import type { AlignerContract } from '../models/contract.ts';
import type { Pixels } from '../pixels.ts';
import { cutFace, type Scene, sceneOf } from './scene.ts';
import { closable, inputFiller, type Session } from './session.ts';

/** Middle of the face in the template. */
export const middle = [56, 66] as const;
/** Side of the cut, in pixels of the template: the crop plus a border of half its size. */
export const fieldSize = 160;
/** Outputs are multiplied by these: change of scale, angle and position (pixels of the crop). */
export const outputScale = [0.3, 0.4, 15, 15] as const;
/** A third look halves the error left by a turn of 30 degrees; a fourth changes little. */
const looks = 3;
const outputs = 5;

/** Aligns faces; owns its session. */
export interface Aligner {
  /** @returns each face's map from the image to its 112x112 crop */
  align(image: Pixels | Scene, faces: readonly DetectedFace[]): Promise<AffineMatrix[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** @throws {ModelError} `model_run_failed` from `align` if the network does not match the contract */
export function createAligner(own: Session, contract: AlignerContract, { name }: { readonly name: string }): Aligner {
  const session = closable(own);
  const { width, height } = contract.input;
  const fill = inputFiller(contract.input);

  const look = async (scene: Scene, matrices: readonly AffineMatrix[]): Promise<AffineMatrix[]> => {
    const values = new Float32Array(matrices.length * 3 * width * height);
    for (const [i, matrix] of matrices.entries())
      fill(surroundings(scene, matrix, width), values, i * 3 * width * height);
    const input = new Tensor('float32', values, [matrices.length, 3, height, width]);
    const found = await run(session, input, name);
    return matrices.map((matrix, i) => corrected(matrix, found.subarray(i * outputs, (i + 1) * outputs)));
  };

  return {
    align: async (image, faces) => {
      let matrices = faces.map(({ landmarks, mouth }) => snapped(alignmentMatrix(landmarks, mouth)));
      if (faces.length === 0) return matrices;
      const scene = sceneOf(image);
      for (let i = 0; i < looks; i++) matrices = (await look(scene, matrices)).map(snapped);
      return matrices;
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}

/** The face and its surroundings, at the network's size. */
function surroundings(scene: Scene, [[a, b, c], [d, e, f]]: AffineMatrix, size: number): Pixels {
  const scale = size / fieldSize;
  // Pixel centres are whole numbers: the field's first pixel is half a pixel from its edge at any size.
  const shift = fieldSize / 2 - 0.5 / scale;
  const field: AffineMatrix = [
    [a, b, c - middle[0] + shift],
    [d, e, f - middle[1] + shift],
  ];
  return cutFace(scene, scaledMatrix(field, scale), size);
}

/** The corrected map to the crop: the inverse of "template to cut", applied after the map to the cut. */
function corrected([[a, b, c], [d, e, f]]: AffineMatrix, output: Float32Array): AffineMatrix {
  const real = 1 + outputScale[0] * output[0]!;
  const imaginary = outputScale[1] * output[1]!;
  const [tx, ty] = [outputScale[2] * output[2]!, outputScale[3] * output[3]!];
  const square = real * real + imaginary * imaginary;
  const [p, q] = [real / square, -imaginary / square]; // the inverse as a complex number
  const [x, y] = [c - middle[0] - tx, f - middle[1] - ty];
  return [
    [p * a - q * d, p * b - q * e, p * x - q * y + middle[0]],
    [q * a + p * d, q * b + p * e, q * x + p * y + middle[1]],
  ];
}

/** Steps of an alignment: a sixteenth of a pixel of the crop at its middle, and about as much at its border. */
const [placeStep, turnStep] = [1 / 16, 1 / 1024];

/**
 * Rounds to a grid of alignments. Runtimes differ in their last bits, and each look would amplify that; on the grid
 * they agree again.
 */
function snapped(matrix: AffineMatrix): AffineMatrix {
  const [[a], [d]] = matrix;
  const size = 2 ** Math.floor(Math.log2(Math.hypot(a, d)));
  const rounded = (value: number, step: number): number => Math.round(value / step) * step;
  const [middleX, middleY] = mapped(inverseOf(matrix), middle);
  const [x, y] = [rounded(middleX, placeStep / size), rounded(middleY, placeStep / size)];
  const [real, imaginary] = [rounded(a, turnStep * size), rounded(d, turnStep * size)];
  return [
    [real, -imaginary, middle[0] - (real * x - imaginary * y)],
    [imaginary, real, middle[1] - (imaginary * x + real * y)],
  ];
}

async function run(session: Session, input: Tensor, name: string): Promise<Float32Array> {
  const output = session.outputNames[0]!;
  try {
    const values = (await session.run({ [session.inputNames[0]!]: input }, [output]))[output]?.data;
    if (values instanceof Float32Array && values.length === input.dims[0]! * outputs) return values;
    throw new Error(`it did not give ${outputs} values per face`);
  } catch (cause) {
    if (cause instanceof MagfaceError) throw cause;
    throw new ModelError(
      'model_run_failed',
      name,
      {
        expected: `${name} to align faces`,
        problem: `it failed (${firstLine(cause)})`,
        remedy: 'check the model file',
      },
      { cause },
    );
  }
}
