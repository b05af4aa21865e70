import {commonName, listNames} from '../../shared/format-certificate.ts';
import type {CheckReport, Link} from '../report.ts';
import {validityWords} from '../text.ts';
import {escapeHtml, shorten} from './escape.ts';

// In units of the drawing, which is scaled to the width of the page.
const width = 720;
const box = {width: 600, height: 94, gap: 42, indent: 56};

/** The chain as a tree in SVG, the CA on top; empty without a certificate. */
export function drawChainSvg(
	{chain, missingIssuer}: Pick<CheckReport, 'chain' | 'missingIssuer'>,
	trusted: boolean,
	now: Date,
): string {
	if (chain.length === 0) return '';
	const links = [...chain].reverse();
	const boxes = [
		...(missingIssuer === null ? [] : [(at: Corner) => missingBox(missingIssuer, at)]),
		...links.map((link) => (at: Corner) => certificateBox(link, trusted, now, at)),
	];
	const indent = Math.min(box.indent, (width - box.width - 8) / Math.max(1, boxes.length - 1));
	const corner = (index: number): Corner => ({
		x: 4 + index * indent,
		y: 4 + index * (box.height + box.gap),
	});
	const height = corner(boxes.length - 1).y + box.height + 4;
	const arrows = boxes.slice(1).map((_, index) => arrow(corner(index), corner(index + 1)));
	const title = `The chain: ${links.map(({subject}) => commonName(subject)).join(', then ')}`;
	return `<svg class="drawing" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}">
${arrows.join('\n')}
${boxes.map((draw, index) => draw(corner(index))).join('\n')}
</svg>`;
}

interface Corner {
	readonly x: number;
	readonly y: number;
}

// From the lower edge of the issuer to the upper edge of what it signed.
function arrow(from: Corner, to: Corner): string {
	const x = to.x + 24;
	const y = from.y + box.height;
	return `<path class="arrow" d="M${x} ${y} V${to.y - 8}"/><path class="tip" d="M${x - 6} ${to.y - 9} h12 l-6 9 z"/><text class="small" x="${x + 14}" y="${y + box.gap / 2 + 4}">signed</text>`;
}

function missingBox(issuer: string, {x, y}: Corner): string {
	return `<g class="link missing"><rect x="${x}" y="${y}" width="${box.width}" height="${box.height}" rx="10"/>
<text class="name" x="${x + 24}" y="${y + 40}">${escapeHtml(shorten(commonName(issuer), 44))}</text>
<text class="bad" x="${x + 24}" y="${y + 64}">not sent by the server, and not known here</text></g>`;
}

function certificateBox(link: Link, trusted: boolean, now: Date, {x, y}: Corner): string {
	const {role, subject, issuer, altNames, validity} = link;
	const isTrustAnchor = subject === issuer && trusted;
	const tone = validity !== 'valid' ? 'bad' : trusted ? 'good' : 'plain';
	const about = role === 'server' ? `for ${listNames(altNames, 4)}` : `pin ${link.pin || 'none'}`;
	const badge = link.pinned ? 'pinned' : isTrustAnchor ? 'trusted here' : roleWords[role];
	return `<g class="link ${tone}"><title>${escapeHtml(subject)}</title>
<rect x="${x}" y="${y}" width="${box.width}" height="${box.height}" rx="10"/>
<rect class="edge" x="${x}" y="${y + 12}" width="5" height="${box.height - 24}" rx="2.5"/>
<text class="name" x="${x + 24}" y="${y + 32}">${escapeHtml(shorten(commonName(subject), 40))}</text>
<text class="badge" x="${x + box.width - 20}" y="${y + 32}" text-anchor="end">${badge}</text>
<text class="time" x="${x + 24}" y="${y + 56}">${escapeHtml(validityWords(link, now))}</text>
<text class="small" x="${x + 24}" y="${y + 78}">${escapeHtml(shorten(about, 72))}</text></g>`;
}

const roleWords: Readonly<Record<Link['role'], string>> = {
	server: 'the server',
	intermediate: 'intermediate CA',
	root: 'root CA',
};
