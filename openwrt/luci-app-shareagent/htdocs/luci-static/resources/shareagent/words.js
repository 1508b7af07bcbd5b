'use strict';
'require baseclass';

/* Numbers and states of the agent as plain text. Nothing here makes markup: what a guest's device says about itself
   (its name!) passes through as text and must be put on the page as text. */

const STATES = {
	trial: _('trying for free'),
	pending: _('payment on its way'),
	active: _('online'),
	grace: _('used up, may still top up'),
	closing: _('refund on its way'),
	settled: _('finished and paid out'),
	failed: _('payment failed'),
	none: _('trial used up')
};

const CHANNEL_STATES = {
	pending: _('payment on its way'),
	active: _('in use'),
	grace: _('used up'),
	closing: _('being collected'),
	settled: _('paid out'),
	failed: _('payment failed')
};

const VERDICTS = {
	waiting: _('not answered yet'),
	valid: _('accepted'),
	duplicate: _('sent twice, counted once'),
	gap: _('a report before this one is missing'),
	equivocation: _('two different reports for the same time'),
	'unknown-device': _('the collector does not know this router; ask your vendor to enrol it'),
	revoked: _('this router was struck off; ask your vendor'),
	'bad-signature': _('signed with another key than this router’s'),
	'bad-voucher': _('the guest’s payment in it does not fit'),
	'bytes-below-ack': _('the guest confirmed more data than was reported'),
	'over-link-capacity': _('more data than the connection can carry'),
	'clock-unsynced': _('the router’s clock was not set'),
	late: _('came too late')
};

const STAGES = {
	sign: _('not in a signed report yet'),
	upload: _('waiting to be sent'),
	collector: _('not accepted by the collector')
};

const LIVE = [ 'trial', 'pending', 'active', 'grace' ];

function known(table, key) {
	return Object.prototype.hasOwnProperty.call(table, key) ? table[key] : String(key ?? '–');
}

function pair(big, bigUnit, small, smallUnit) {
	return small ? '%d %s %d %s'.format(big, bigUnit, small, smallUnit) : '%d %s'.format(big, bigUnit);
}

return baseclass.extend({
	/* Base units (1 SSP = 10,000 units) as a decimal string -> "4.1288 SSP". */
	ssp(units) {
		if (!/^-?\d+$/.test(String(units ?? '')))
			return '–';

		const amount = BigInt(units);
		const digits = String(amount < 0n ? -amount : amount).padStart(5, '0');
		const fraction = digits.slice(-4).replace(/0+$/, '');

		return (amount < 0n ? '-' : '') + digits.slice(0, -4) + (fraction ? '.' + fraction : '') + ' SSP';
	},

	/* Powers of ten, like the MB of the price. */
	bytes(count) {
		let value = Number(count);

		if (count == null || !Number.isFinite(value))
			return '–';

		const units = [ 'B', 'kB', 'MB', 'GB', 'TB' ];
		let unit = 0;

		for (; value >= 999.5 && unit < units.length - 1; unit++)
			value /= 1000;

		return (unit > 0 && value < 99.95 ? value.toFixed(1) : value.toFixed(0)) + ' ' + units[unit];
	},

	duration(seconds) {
		const s = Math.max(0, Math.floor(Number(seconds)));

		if (seconds == null || !Number.isFinite(s))
			return '–';

		if (s >= 86400)
			return pair(Math.floor(s / 86400), _('d', 'days, short'), Math.floor(s % 86400 / 3600), _('h', 'hours, short'));

		if (s >= 3600)
			return pair(Math.floor(s / 3600), _('h', 'hours, short'), Math.floor(s % 3600 / 60), _('min', 'minutes, short'));

		return s >= 60
			? pair(Math.floor(s / 60), _('min', 'minutes, short'), 0)
			: pair(s, _('s', 'seconds, short'), 0);
	},

	time(seconds) {
		return seconds > 0
			? new Date(Number(seconds) * 1000).toLocaleString([], { dateStyle: 'short', timeStyle: 'short' })
			: '–';
	},

	/* "2026-11-23" -> "Mon, 23 Nov"; the days of the agent are UTC. */
	day(date) {
		const day = new Date(String(date) + 'T00:00:00Z');

		return Number.isNaN(day.getTime())
			? String(date)
			: day.toLocaleDateString([], { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' });
	},

	guest(session) {
		return String(session.hostname || session.mac || _('unknown device'));
	},

	isLive(session) {
		return LIVE.includes(session.state);
	},

	state(name) { return known(STATES, name); },

	channelState(name) { return known(CHANNEL_STATES, name); },

	/* dBm is for engineers; the steps are those of LuCI's signal icons. */
	signal(dbm) {
		return dbm >= -60 ? _('strong WiFi signal') : dbm >= -75 ? _('fair WiFi signal') : _('weak WiFi signal');
	},

	/* "0.1 SSP for a megabyte and 0.05 SSP for a minute"; what costs nothing is left out. */
	price(price) {
		const parts = [
			[ price.per_mb_units, _('%s for a megabyte') ],
			[ price.per_minute_units, _('%s for a minute') ]
		].filter(([ units ]) => units != null && String(units) !== '0').map(([ units, text ]) => text.format(this.ssp(units)));

		return parts.length ? parts.join(' + ') : _('free');
	},

	verdict(name) { return known(VERDICTS, name); },

	/* Why bytes of a day earn nothing yet: the collector's own reason where it is one we know. */
	lost(reason) {
		const stage = known(STAGES, reason.stage);

		return reason.reason ? '%s: %s'.format(stage, known(VERDICTS, reason.reason)) : stage;
	}
});
