/** Data of the quality report. */
import type { DetectedFace, Estimate, Reason } from '../face.ts';
import type { Calibration } from '../quality.ts';

export interface ReportData {
  readonly model: ReportModel;
  /** Absent if the images were already aligned. */
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
  /** From 0, largest first. */
  readonly face: number;
  readonly magnitude: number;
  /** 0 to 100, not rounded; null if the model has no calibration. */
  readonly quality: number | null;
  readonly reasons: readonly Reason[];
  readonly estimates: readonly Estimate[];
  /** The aligned face as a data URL. */
  readonly picture: string;
  /** (D) float32, not normalized. */
  readonly embedding: Float32Array;
}

/** A model on the page. */
export interface ReportModel {
  readonly name: string;
  /** SHA-256 of the file, hexadecimal. */
  readonly digest: string;
  /** One sentence for each assumption. */
  readonly assumed: readonly string[];
  readonly contract: {
    readonly arch?: string | undefined;
    readonly embeddingLength?: number;
    readonly calibration?: Calibration | undefined;
    readonly licence?: { readonly spdx: string; readonly notice: string } | undefined;
  };
}

/** A face on the page, with its number there. */
export type ShownFace = ReportFace & { readonly number: number; readonly image: string };

export type ShownImage = Omit<ReportImage, 'faces'> & { readonly faces: readonly ShownFace[] };

export interface ReportImage {
  /** The user's name: any text. */
  readonly name: string;
  /** Width of the upright image (as for boxes and landmarks), in pixels. */
  readonly width: number;
  readonly height: number;
  /** A smaller copy as a data URL. */
  readonly picture: string;
  readonly faces: readonly ReportFace[];
}
