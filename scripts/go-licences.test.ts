import { expect, it } from 'vitest';
import { goLicences, modulesOf, recognised } from './kubernetes/licences.ts';

it('the modules of a go.mod are those that are required, as they are replaced', () => {
  const text = `
module example.org/x

go 1.26.0

tool (
\texample.org/a/cmd/tool
)

require example.org/single v1.0.0

require (
\texample.org/a v1.2.3 // indirect
\texample.org/B/v2 v2.0.0+incompatible
\texample.org/c v0.0.0 // indirect
)

replace (
\texample.org/c => example.org/fork v0.36.3
)
`;
  expect(modulesOf(text)).toEqual([
    { path: 'example.org/single', version: 'v1.0.0' },
    { path: 'example.org/a', version: 'v1.2.3' },
    { path: 'example.org/B/v2', version: 'v2.0.0+incompatible' },
    { path: 'example.org/fork', version: 'v0.36.3' },
  ]);
});

it('a licence is known by its words, however they are broken into lines', () => {
  expect(recognised('Permission is hereby granted, free of charge, to any person\nobtaining a copy')).toBe(
    'MIT',
  );
  expect(recognised('                 Apache License\n           Version 2.0, January 2004')).toBe(
    'Apache-2.0',
  );
  expect(recognised('GNU GENERAL PUBLIC LICENSE Version 3')).toBeUndefined();
});

it('every module has a licence in the list', () => {
  const all = goLicences();
  expect(all.length).toBeGreaterThan(100);
  expect(all.filter(({ licence }) => licence.startsWith('none'))).toEqual([]);
});
