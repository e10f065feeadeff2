/** Entry point of the page. */
import { render } from 'preact';
import 'virtual:palette.css';
import './style.css';
import './photos/photos.css';
import './camera/camera.css';
import './video/video.css';
import './compare/compare.css';
import './people/people.css';
import './viewer/viewer.css';
import './shared/touch.css';
import { restorePhotos } from './album/photo-set.ts';
import { App } from './app.tsx';
import { openLibrary } from './library.ts';
import { restorePeople } from './people/people-set.ts';
import { restoreKept } from './photos/kept.ts';

render(<App />, document.querySelector('#page')!);
await Promise.all([restoreKept(), restorePeople()]);
void restorePhotos();
openLibrary().catch(() => undefined); // the page reports the error
