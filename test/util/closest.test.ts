import {expect, test} from 'vitest';
import {closest} from '../../src/util/check-options.ts';

const commands = ['get', 'check', 'inspect', 'certs', 'serve', 'demo'];

test.each([
	['chekc', 'check'],
	['chek', 'check'],
	['gett', 'get'],
	['inspct', 'inspect'],
	['INSPECT', 'inspect'],
	['cert', 'certs'],
	['server', 'serve'],
])('the word %s is taken for a mistake in %s', (word, meant) => {
	expect(closest(word, commands)).toBe(meant);
});

test.each(['', 'x', 'frobnicate', 'localhost', '--'])('the word "%s" is near to none', (word) => {
	expect(closest(word, commands)).toBeUndefined();
});

test('a third of the letters may be wrong, and no more', () => {
	expect(closest('abcdef', ['xxcdef'])).toBe('xxcdef');
	expect(closest('abcdef', ['xxxdef'])).toBeUndefined();
	expect(closest('abcde', ['xbcde'])).toBe('xbcde');
	expect(closest('abcde', ['xxcde'])).toBeUndefined();
});

test('the nearest of several candidates is taken, and the first of equals', () => {
	expect(closest('--prox', ['--proxy-ca', '--proxy', '--pin'])).toBe('--proxy');
	expect(closest('TLSv1.4', ['TLSv1.2', 'TLSv1.3'])).toBe('TLSv1.2');
});
