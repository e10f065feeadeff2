/** Entry point of the page. */
import { render } from 'preact';
import 'virtual:palette.css';
import './style.css';
import './photos/photos.css';
import './camera/camera.css';
import './compare/compare.css';
import { App } from './app.tsx';
import { openEngine } from './engine.ts';

render(<App />, document.querySelector('#page')!);
openEngine().catch(() => undefined); // the page reports the error
