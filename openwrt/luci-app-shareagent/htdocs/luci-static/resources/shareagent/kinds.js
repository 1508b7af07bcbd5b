'use strict';
'require baseclass';

/* What the agent accepts in /etc/config/shareagent, told to the owner while typing. The agent decides in the end; a test
   holds these to its own table. Each function returns a validator for `o.validate`. */

const BYTES = { '': 1n, kb: 1000n, mb: 1000000n, gb: 1000000000n };
const SECONDS = { '': 1, s: 1, m: 60, h: 3600, d: 86400 };

function unitsOf(text) {
	const parts = /^(\d{1,15})(?:\.(\d{1,4}))?$/.exec(text);

	return parts ? BigInt(parts[1]) * 10000n + BigInt((parts[2] ?? '').padEnd(4, '0')) : null;
}

function bytesOf(text) {
	const parts = /^(\d{1,19}) ?(|kb|mb|gb)$/.exec(text.toLowerCase());

	return parts ? BigInt(parts[1]) * BYTES[parts[2]] : null;
}

function secondsOf(text) {
	const parts = /^(\d{1,9}) ?([smhd]?)$/.exec(text);

	return parts ? Number(parts[1]) * SECONDS[parts[2]] : null;
}

function isUrl(text) {
	try {
		return new URL(text).host !== '';
	}
	catch (error) {
		return false;
	}
}

/* The validator: true, or the sentence that LuCI shows beside the field. */
function rule(isGood, sentence) {
	return (section_id, value) => (value == null || value === '' || isGood(String(value)) ? true : sentence);
}

/* WCAG 2.2, "relative luminance". */
function luminanceOf(colour) {
	const parts = [ 1, 3, 5 ].map((at) => {
		const part = parseInt(colour.slice(at, at + 2), 16) / 255;

		return part <= 0.04045 ? part / 12.92 : Math.pow((part + 0.055) / 1.055, 2.4);
	});

	return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
}

function contrastOf(a, b) {
	const [ darker, lighter ] = [ luminanceOf(a), luminanceOf(b) ].sort((x, y) => x - y);

	return (lighter + 0.05) / (darker + 0.05);
}

function within(value, min, max) {
	return value != null && value >= min && value <= max;
}

return baseclass.extend({
	/* "50MB" -> 50000000; only of what bytes() accepts. */
	bytesOf(text) {
		return Number(bytesOf(String(text)));
	},

	/* "0.25" -> "2500" base units; only of what ssp() accepts. */
	unitsOf(text) {
		return String(unitsOf(String(text)));
	},

	ssp(min, max) {
		return rule((text) => within(unitsOf(text), unitsOf(min), unitsOf(max)),
			_('Enter an amount from %s to %s SSP with at most 4 decimals, for example 0.25.').format(min, max));
	},

	bytes(min, max) {
		return rule((text) => within(bytesOf(text), bytesOf(min), bytesOf(max)),
			_('Enter a size from %s to %s, for example 500kB, 20MB or 1GB.').format(min, max));
	},

	duration(min, max) {
		return rule((text) => within(secondsOf(text), secondsOf(min), secondsOf(max)),
			_('Enter a time from %s to %s: a number and s, m, h or d, for example 30s, 10m, 2h or 7d.').format(min, max));
	},

	integer(min, max) {
		return rule((text) => (/^\d{1,16}$/).test(text) && within(Number(text), min, max),
			_('Enter a whole number from %d to %d.').format(min, max));
	},

	address() {
		return rule((text) => (/^0x[0-9a-fA-F]{40}$/).test(text) && !/^0x0{40}$/.test(text),
			_('Enter an address: 0x and 40 more digits or letters from a to f.'));
	},

	url() {
		return rule((text) => (/^https?:[/]{2}[^\s/]/).test(text) && text.length <= 512 && isUrl(text),
			_('Enter a web address that begins with http:// or https://.'));
	},

	label(max) {
		return rule((text) => text.trim() === text && [ ...text ].length <= max && !/\p{C}/u.test(text),
			_('Enter one line of at most %d characters, without spaces at its ends.').format(max));
	},

	/* A colour that text can be read in on a page of the colour `background`. */
	colour(background, sentence) {
		return rule((text) => (/^#[0-9a-fA-F]{6}$/).test(text) && contrastOf(text, background) >= 4.5, sentence);
	},

	/* An absolute path without "..". */
	path(max) {
		return rule((text) => text.length <= max && (/^\/[\x21-\x7e]+$/).test(text) && !(/(^|\/)\.\.(\/|$)/).test(text),
			_('Enter a path that begins with /, for example /etc/shareagent/portal.'));
	},

	time() {
		return rule((text) => (/^([01]\d|2[0-3]):[0-5]\d$/).test(text),
			_('Enter a time of day from 00:00 to 23:59, for example 22:00.'));
	},

	/* A country (ISO 3166-1 alpha-2), or with a geohash: six characters are about a kilometre. */
	place() {
		return rule((text) => (/^[A-Za-z]{2}(:[0-9b-hjkmnp-z]{1,6})?$/).test(text),
			_('Enter a country such as CH, or a country and a geohash of at most 6 characters such as CH:u0qj.'));
	},

	host() {
		return rule((text) => text.length <= 100 && !/^[\d.]+$/.test(text)
				&& /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(text),
			_('Enter a name in small letters such as portal.lan.'));
	},

	device() {
		return rule((text) => (/^[A-Za-z0-9_.][A-Za-z0-9_.-]{0,14}$/).test(text) && text !== '.' && text !== '..',
			_('Enter the name of a bridge, for example br-guest.'));
	}
});
