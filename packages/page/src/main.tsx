/** Entry point of the page. */
import { render } from 'preact';
import 'virtual:palette.css';
import './style.css';
import './photos/photos.css';
import './camera/camera.css';
import './compare/compare.css';
import { App } from './app.tsx';
import { openLibrary } from './library.ts';

render(<App />, document.querySelector('#page')!);
openLibrary().catch(() => undefined); // the page reports the error
