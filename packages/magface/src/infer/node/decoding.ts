/** sharp's options for decoding photos. Detection and drawing share them, so that faces match the picture. */
export const decoding = {
  autoOrient: true,
  /** Rejects truncated files, but accepts files that only cause warnings. */
  failOn: 'error',
  /** We check our own limits on the header before decoding. */
  limitInputPixels: false,
} as const;
