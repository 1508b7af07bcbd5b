'use strict';
'require view';
'require poll';
'require ui';
'require shareagent.bus as bus';
'require shareagent.kinds as kinds';
'require shareagent.look as look';
'require shareagent.words as words';

const POLL_SECONDS = 5;
const SHOWN_FINISHED = 20;
const REFUSALS = {
	absent: _('This guest is gone already.'),
	denied: _('Your login may not do this.')
};

return view.extend({
	handleSave: null,
	handleSaveApply: null,
	handleReset: null,

	load() {
		return Promise.all([ bus.situation(), bus.ask('sessions') ]);
	},

	render(data) {
		const body = E('div', {}, this.parts(data));

		this.refresh = () => this.load().then((fresh) => look.refresh(body, this.parts(fresh)));
		poll.add(this.refresh, POLL_SECONDS);

		return look.page(_('Guests'),
			_('Everybody who surfs or has just finished. What a guest paid and did not use goes back to the guest by itself.'),
			body);
	},

	parts([ situation, sessions ]) {
		if (situation.trouble)
			return [ look.trouble(situation.trouble) ];

		const all = L.toArray(sessions.value?.sessions);
		const live = all.filter(words.isLive);
		const finished = all.filter((session) => !words.isLive(session)).slice(-SHOWN_FINISHED).reverse();

		return [
			look.section(_('Now'), look.table(
				[ _('Guest'), _('State'), _('Online for'), _('Used'), _('Left'), _('Paid'), '' ],
				live.map((session) => this.row(session)), _('Nobody is online.'))),
			look.section(_('Finished'), look.table(
				[ _('Guest'), _('State'), _('Online for'), _('Used'), _('Paid') ],
				finished.map((session) => this.finishedRow(session)), _('Nobody yet.')))
		];
	},

	row(session) {
		return [
			this.who(session),
			words.state(session.state),
			words.duration(session.online_s),
			_('%s down, %s up').format(words.bytes(session.bytes_down), words.bytes(session.bytes_up)),
			[ words.bytes(session.left_bytes), session.left_s == null ? '' : ' · ' + words.duration(session.left_s) ],
			session.state === 'trial'
				? _('nothing yet')
				: _('%s of %s').format(words.ssp(session.charged_units), words.ssp(session.credit_units)),
			[
				look.button(_('Give data'), 'action', () => this.give(session)),
				look.button(_('End'), 'negative', () => this.end(session))
			]
		];
	},

	finishedRow(session) {
		return [
			this.who(session),
			words.state(session.state),
			words.duration(session.online_s),
			words.bytes(Number(session.bytes_down ?? 0) + Number(session.bytes_up ?? 0)),
			words.ssp(session.charged_units)
		];
	},

	who(session) {
		const details = [ session.hostname ? session.mac : null, ...L.toArray(session.addresses) ].filter((text) => text);
		const signal = session.air?.signal_dbm == null ? [] : [ words.signal(session.air.signal_dbm) ];

		return [ words.guest(session), E('div', { 'class': 'sa-small' }, [ [ ...details.slice(0, 3), ...signal ].join(' · ') ]) ];
	},

	end(session) {
		look.ask(_('End this session?'), [
			E('p', {}, [ words.guest(session) ]),
			look.note(_('The guest goes offline at once. What was paid and not used goes back to the guest.'))
		], _('End session'), 'negative', () => this.act(bus.ask('session_end', session.id)));
	},

	give(session) {
		const input = E('input', { 'type': 'text', 'class': 'cbi-input-text', 'value': '50MB', 'aria-label': _('How much data') });
		const warning = E('p', { 'class': 'sa-small', 'role': 'alert' }, []);

		look.ask(_('Give data for free'), [
			E('p', {}, [ words.guest(session) ]),
			look.note(_('The guest gets this much more and pays nothing for it. At most as much as your free data for all guests together (page Prices).')),
			input,
			warning
		], _('Give'), 'action', () => {
			const verdict = input.value === '' ? _('Enter a size, for example 50MB.') : kinds.bytes('1', '1000000000000')(null, input.value);

			if (verdict !== true)
				return look.replace(warning, [ verdict ]);

			return this.act(bus.ask('session_extend', session.id, kinds.bytesOf(input.value)));
		});
	},

	act(asked) {
		return asked.then((answer) => {
			ui.hideModal();

			if (answer.value)
				look.say(_('Done.'));
			else
				look.complain(REFUSALS[answer.why] ?? _('The router refused: perhaps that was more than your free data for all guests together. The log on the page Diagnostics says why.'));

			return this.refresh();
		});
	}
});
