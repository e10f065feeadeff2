import type * as Mediabunny from 'mediabunny';

/** What we use of mediabunny. */
export type MediabunnyParts = Pick<
  typeof Mediabunny,
  'BlobSource' | 'Input' | 'MATROSKA' | 'MP4' | 'QTFF' | 'VideoSampleSink' | 'WEBM'
>;

/**
 * Loads what we use of mediabunny. Its parts are named at the import, so that bundlers leave out the rest: names of a static
 * import would fail to build where it is not installed.
 */
export async function importMediabunny(): Promise<MediabunnyParts> {
  const { BlobSource, Input, MATROSKA, MP4, QTFF, VideoSampleSink, WEBM } = await import('mediabunny');
  return { BlobSource, Input, MATROSKA, MP4, QTFF, VideoSampleSink, WEBM };
}
