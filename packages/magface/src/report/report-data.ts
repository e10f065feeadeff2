/** What the quality report shows. */

import type { DetectedFace, Reason } from '../face.ts';
import type { Calibration } from '../quality.ts';

export interface ReportData {
  readonly model: ReportModel;
  /** Absent when the images were aligned already. */
  readonly detector?: ReportModel | undefined;
  /** When the run ended. */
  readonly date?: Date | undefined;
  readonly images: readonly ReportImage[];
  readonly failures: readonly {
    readonly image: string;
    readonly error: { readonly code: string; readonly message: string };
  }[];
}

/** A face of the report. */
export interface ReportFace extends Pick<DetectedFace, 'box' | 'landmarks' | 'detection'> {
  /** From 0, the largest first. */
  readonly face: number;
  readonly magnitude: number;
  /** 0 to 100; null when the model has no calibration. */
  readonly quality: number | null;
  readonly reasons: readonly Reason[];
  /** The aligned face as a data address. */
  readonly picture: string;
  /** (D) float32, not normalized. */
  readonly embedding: Float32Array;
}

/** What the page says of a model. */
export interface ReportModel {
  readonly name: string;
  /** SHA-256 of the file, hexadecimal. */
  readonly digest: string;
  /** One sentence for each thing that was taken for granted. */
  readonly assumed: readonly string[];
  readonly contract: {
    readonly arch?: string | undefined;
    readonly embeddingLength?: number;
    readonly calibration?: Calibration | undefined;
    readonly licence?: { readonly spdx: string; readonly notice: string } | undefined;
  };
}

/** A face that the page shows, with its number there. */
export type ShownFace = ReportFace & { readonly number: number; readonly image: string };

export type ShownImage = Omit<ReportImage, 'faces'> & { readonly faces: readonly ShownFace[] };

export interface ReportImage {
  /** As the user gave it: any text. */
  readonly name: string;
  /** Of the upright image, which boxes and landmarks refer to, in pixels. */
  readonly width: number;
  readonly height: number;
  /** A smaller copy as a data address. */
  readonly picture: string;
  readonly faces: readonly ReportFace[];
}
