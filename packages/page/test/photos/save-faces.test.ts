import type { AnalyzedFace } from 'magface/browser';
import { expect, test } from 'vitest';
import type { PhotoFace } from '../../src/album/photo.ts';
import { faceTable } from '../../src/photos/save-faces.ts';
import { freeName } from '../../src/shared/download.ts';

const face = {
  box: { x: 1.5, y: 2, width: 30, height: 40 },
  detection: 0.9,
  magnitude: 3.25,
  quality: undefined,
  reasons: [
    { code: 'blurred', value: 12 },
    { code: 'too_dark', value: 20.5 },
  ],
} as unknown as AnalyzedFace;

const named = (id: string, name: string): PhotoFace => ({ id, number: 1, name, photo: 'p', face });

test("the table has the command's columns, quotes cells and contains no formula for spreadsheets", () => {
  const people = new Map([['b#1', { number: 5, name: '=Ann', faces: [], doubtful: [] }]]);
  expect(faceTable([named('a#1', 'a, "b".jpg'), named('b#1', '=1+1.jpg')], people)).toBe(
    'image,face,x,y,width,height,detection,magnitude,quality,reasons,person,name\r\n' +
      '"a, ""b"".jpg",0,1.5,2,30,40,0.9,3.25,,blurred=12 too_dark=20.5,,\r\n' +
      "'=1+1.jpg,0,1.5,2,30,40,0.9,3.25,,blurred=12 too_dark=20.5,5,'=Ann\r\n",
  );
});

test('the zip contains both of two files with the same name', () => {
  const taken = new Map([['faces/a.jpg', 0]]);
  expect(freeName('faces/a.jpg', taken)).toBe('faces/a-2.jpg');
  taken.set('faces/a-2.jpg', 0);
  expect(freeName('faces/a.jpg', taken)).toBe('faces/a-3.jpg');
  expect(freeName('faces/b.jpg', taken)).toBe('faces/b.jpg');
});
