import {existsSync, readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {sourceFiles} from './imports.ts';

const root = new URL('../../', import.meta.url);
const files = sourceFiles();

function isThere(path: string): boolean {
	if ([path, `test/${path}`].some((one) => existsSync(new URL(one, root)))) return true;
	return files.some(
		(file) => file === path || file.endsWith(`/${path}`) || `/${file}`.includes(`/${path}`),
	);
}

test.each(['docs/architecture.md', 'CONTRIBUTING.md'])(
	'each file and folder that %s names is there',
	(name) => {
		const text = readFileSync(new URL(name, root), 'utf8');
		const named = [...text.matchAll(/`([a-z0-9/.-]+(?:\.ts|\.md|\/))`/g)].map(
			([, path = '']) => path,
		);
		expect(named.length).toBeGreaterThan(2);
		expect(named.filter((path) => !isThere(path))).toEqual([]);
	},
);
