/** The library, loaded once for the whole page. */
import { signal } from '@preact/signals';
import { type LoadProgress, MagFace } from 'magface/browser';

export type LibraryState =
  | { readonly kind: 'loading'; readonly progress: LoadProgress | undefined }
  | { readonly kind: 'ready'; readonly magface: MagFace }
  | { readonly kind: 'failed'; readonly message: string };

export const library = signal<LibraryState>({ kind: 'loading', progress: undefined });

let opened: Promise<MagFace> | undefined;

/** @returns the library; loads it if it is not loaded or the last attempt failed */
export function openLibrary(): Promise<MagFace> {
  opened ??= load().catch((error: unknown) => {
    opened = undefined;
    library.value = { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
    throw error;
  });
  return opened;
}

async function load(): Promise<MagFace> {
  library.value = { kind: 'loading', progress: undefined };
  await serviceWorkerControls();
  const magface = await MagFace.load({
    onProgress: (progress) => {
      library.value = { kind: 'loading', progress };
    },
  });
  library.value = { kind: 'ready', magface };
  return magface;
}

/**
 * Resolves once the service worker controls this page and its worker, so that the first load is cached for offline use.
 * Resolves immediately if there can be no service worker.
 */
async function serviceWorkerControls(): Promise<void> {
  const container = navigator.serviceWorker;
  if (container === undefined || container.controller !== null) return;
  const controls = new Promise<void>((resolve) => container.addEventListener('controllerchange', () => resolve()));
  const patience = new Promise<void>((resolve) => setTimeout(resolve, 4000));
  const registered = container.register('./service-worker.js').then(
    () => controls,
    () => undefined, // in private windows, for example, everything works except offline use
  );
  await Promise.race([registered, patience]);
}
