/** Builds the page into magface's dist/page: from the sources, so that no other build need run before. */
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin, type Rolldown } from 'vite';
import { contentSecurityPolicy, pageHeaders } from '../magface/src/hosting/headers.ts';
import { palette } from '../magface/src/report/style.ts';

const paletteModule = 'virtual:palette.css';

/** The reports' colours and the server's policy, from the one place where each stands. */
const house: Plugin = {
  name: 'house',
  resolveId: (id) => (id === paletteModule ? `\0${id}` : undefined),
  load: (id) => (id === `\0${paletteModule}` ? palette : undefined),
  transformIndexHtml: () => [
    {
      tag: 'meta',
      attrs: { 'http-equiv': 'Content-Security-Policy', content: contentSecurityPolicy },
      injectTo: 'head-prepend',
    },
  ],
};

/** Whether a file is the reader of clips. */
const isMediabunny = (moduleIds: readonly string[]): boolean => moduleIds.some((id) => id.includes('/mediabunny/'));
const mediabunnyNotice = '/*! mediabunny, MPL-2.0: its source is at https://github.com/Vanilagy/mediabunny */';

/**
 * Files that the service worker keeps once they are used: the networks' runtimes, of which only one is, and the reader of clips,
 * without which a video element shows them.
 */
const isKeptLater = (file: Rolldown.OutputAsset | Rolldown.OutputChunk): boolean =>
  /service-worker|index\.html|\.wasm$|assets\/ort\./.test(file.fileName) ||
  (file.type === 'chunk' && isMediabunny(file.moduleIds));

/** Tells the service worker which files it keeps from the start. */
const keptFiles: Plugin = {
  name: 'kept-files',
  enforce: 'post',
  generateBundle(_, bundle) {
    const worker = bundle['service-worker.js'];
    if (worker?.type !== 'chunk') return;
    const files = Object.values(bundle)
      .filter((file) => !isKeptLater(file))
      .map(({ fileName }) => fileName);
    const list = JSON.stringify([...files, 'icon.svg', 'page.webmanifest']);
    worker.code = worker.code.replaceAll('__KEPT_FILES__', () => list);
  },
};

export default defineConfig({
  base: './',
  plugins: [house, keptFiles],
  resolve: { conditions: ['magface:source', 'browser', 'module', 'import', 'default'] },
  define: { __PAGE_HEADERS__: JSON.stringify(pageHeaders) },
  worker: { format: 'es' },
  build: {
    outDir: fileURLToPath(new URL('../magface/dist/page', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      input: ['index.html', 'src/service-worker.ts'],
      output: {
        entryFileNames: ({ name }) => (name === 'service-worker' ? '[name].js' : 'assets/[name]-[hash].js'),
        postBanner: ({ moduleIds }) => (isMediabunny(moduleIds) ? mediabunnyNotice : ''),
      },
    },
  },
});
