/** How sharp decodes a photo, wherever one is read: what gives faces also gives a picture of them. */
export const decoding = {
  autoOrient: true,
  /** Also refuses truncated files, but not those that merely make a decoder grumble. */
  failOn: 'error',
  /** Limits of our own are checked by the header before anything is decoded. */
  limitInputPixels: false,
} as const;
