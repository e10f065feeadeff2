/** Builds the page into magface's dist/page: from the sources, so that no other build need run before. */
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';
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

/** Files that the service worker keeps from the start: all but the networks' runtimes, of which only one is used. */
const keptFiles: Plugin = {
  name: 'kept-files',
  enforce: 'post',
  generateBundle(_, bundle) {
    const worker = bundle['service-worker.js'];
    if (worker?.type !== 'chunk') return;
    const files = Object.keys(bundle).filter((file) => !/service-worker|index\.html|\.wasm$|assets\/ort\./.test(file));
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
      output: { entryFileNames: ({ name }) => (name === 'service-worker' ? '[name].js' : 'assets/[name]-[hash].js') },
    },
  },
});
