'use strict';
'require view';
'require poll';
'require shareagent.bus as bus';
'require shareagent.look as look';
'require shareagent.words as words';

const SHOWN_GUESTS = 10;
const POLL_SECONDS = 5;

return view.extend({
	handleSave: null,
	handleSaveApply: null,
	handleReset: null,

	load() {
		return Promise.all([ bus.situation(), bus.ask('sessions'), bus.ask('earnings', 7), bus.ask('price') ]);
	},

	render(data) {
		const body = E('div', {}, this.parts(data));

		poll.add(() => this.load().then((fresh) => look.refresh(body, this.parts(fresh))), POLL_SECONDS);

		return look.page(_('ShareAgent'),
			_('Your router sells WiFi by the megabyte. Here you see who is online, what you earned and whether all is well.'),
			body);
	},

	parts([ situation, sessions, earnings, price ]) {
		if (situation.trouble)
			return [ look.trouble(situation.trouble) ];

		const { status } = situation;
		const days = L.toArray(earnings.value?.days);

		return [
			this.banner(status, price.value),
			look.cards([
				[ _('Guests online'), String(status.guests_online ?? 0) ],
				[ _('Earned today'), words.ssp(status.earned_today_units) ],
				[ _('Paid traffic today'), words.bytes(status.bytes_today) ],
				[ _('Not paid out yet'), words.ssp(status.chain?.claimable_units) ]
			]),
			look.section(_('Who is online'), this.guests(L.toArray(sessions.value?.sessions).filter(words.isLive))),
			look.section(_('The last days'), this.days(days)),
			look.section(_('Traffic reports'), look.note(this.proofs(status.proofs ?? {})), look.link('rewards', _('Uploads and rewards'))),
			look.section(_('Health'), look.checks(L.toArray(status.health)), look.link('diagnostics', _('Look deeper')))
		];
	},

	banner(status, price) {
		const later = L.toArray(status.restart_needed).length
			? [ _('Changed settings wait for a restart: %s.').format(status.restart_needed.join(', ')) ]
			: [];

		if (status.state !== 'selling') {
			return look.banner('warn', _('Not selling right now'),
				[ ...L.toArray(status.not_selling).map(String), ...later ],
				status.state === 'disabled' ? look.link('settings', _('Open settings')) : look.link('diagnostics', _('What to do')));
		}

		const asks = price?.now
			? [ _('The price now: %s.').format(words.price(price.now)) ]
			: [];

		return look.banner('good', _('Selling WiFi'), [ ...asks, ...later ]);
	},

	guests(live) {
		const rows = live.slice(0, SHOWN_GUESTS).map((session) => [
			words.guest(session),
			words.state(session.state),
			words.bytes(Number(session.bytes_down ?? 0) + Number(session.bytes_up ?? 0)),
			words.bytes(session.left_bytes),
			words.ssp(session.charged_units)
		]);

		return [
			look.table([ _('Guest'), _('State'), _('Used'), _('Left'), _('Paid') ], rows, _('Nobody is online.')),
			live.length > SHOWN_GUESTS ? look.note(_('and %d more').format(live.length - SHOWN_GUESTS)) : '',
			look.link('guests', _('All guests'))
		].reduce((all, part) => (L.dom.append(all, [ part ]), all), E('div'));
	},

	days(days) {
		const most = Math.max(1, ...days.map((day) => Number(day.paid_units ?? 0)));

		return look.table([ _('Day'), _('Earned'), _('Traffic'), _('Of it proven and accepted') ], days.map((day) => [
			words.day(day.date),
			[ words.ssp(day.paid_units), look.bar(Number(day.paid_units ?? 0) / most) ],
			words.bytes(day.bytes),
			words.bytes(day.accepted_bytes)
		]), _('Nothing was earned yet.'));
	},

	proofs(proofs) {
		if (proofs.held)
			return _('No traffic reports are signed at the moment: %s').format(String(proofs.held));

		return _('The router signs a report of what it carried; rewards rest on these. Accepted: %d, waiting for an answer: %d, rejected: %d.')
			.format(proofs.accepted ?? 0, proofs.pending ?? 0, proofs.rejected ?? 0);
	}
});
