import {execFileSync} from 'node:child_process';
import {expect, test} from 'vitest';
import {foldCommand, wrap} from '../../../src/cli/shared/wrap.ts';

const sentence = 'one two three four five six seven eight nine ten';

test('a text is broken at spaces, and no word is lost', () => {
	const lines = wrap(sentence, {indent: 4, offset: 9, width: 20});
	expect(lines).toEqual(['one two', '    three four five', '    six seven eight', '    nine ten']);
});

test('a text fits up to the last column, and not beyond it', () => {
	const text = 'aaaa bbbb cccc';
	expect(wrap(text, {width: 13})).toEqual(['aaaa bbbb', 'cccc']);
	expect(wrap(text, {width: 14})).toEqual([text]);
	expect(wrap(text, {width: 15})).toEqual([text]);
	expect(wrap(text, {width: 15, offset: 1, indent: 2})).toEqual([text]);
	expect(wrap(text, {width: 15, offset: 2, indent: 2})).toEqual(['aaaa bbbb', '  cccc']);
});

test('a word that is wider than the line stays whole', () => {
	const word = 'x'.repeat(100);
	expect(wrap(`see ${word} there`, {width: 40})).toEqual(['see', word, 'there']);
});

const command =
	"axios-mtls get https://a.example/ --cert 'my certs/client.crt' --key k.pem --ca it\\ is -L";

test('a command that fits is one line', () => {
	expect(foldCommand(command, 2, command.length + 2)).toEqual([`  ${command}`]);
	expect(foldCommand(command, 2, command.length + 1).length).toBeGreaterThan(1);
});

test('a command is broken between its words, and a flag stands beside its value', () => {
	expect(foldCommand(command, 2, 40)).toEqual([
		'  axios-mtls get https://a.example/ \\',
		"    --cert 'my certs/client.crt' \\",
		'    --key k.pem --ca it\\ is -L',
	]);
});

test.each([20, 40, 60, 80])('a shell reads the same words from a command folded at %d', (width) => {
	const line = `printf '%s\\n' 'it'\\''s' --cert 'a  b' "c d" e\\ f --key 'x y z' g=h '' last`;
	const read = (text: string) => execFileSync('sh', ['-c', text], {encoding: 'utf8'});
	const lines = foldCommand(line, 2, width);
	expect(read(lines.join('\n'))).toBe(read(line));
	for (const each of lines) expect(each.length).toBeLessThanOrEqual(Math.max(width, 32));
});
