/** Plain reasons why a face is of low quality. The rules and limits stand here alone; Node and browser share them. */

/** What can be wrong with a face. */
export type ReasonCode = 'face_too_small' | 'blurred' | 'too_dark' | 'too_bright' | 'turned_away' | 'cut_off';

/** One reason with the value that was measured, in the unit of its rule. */
export interface Reason {
  readonly code: ReasonCode;
  readonly value: number;
}
