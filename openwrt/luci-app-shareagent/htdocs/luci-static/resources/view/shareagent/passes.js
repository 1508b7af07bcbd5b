'use strict';
'require view';
'require shareagent.bus as bus';
'require shareagent.kinds as kinds';
'require shareagent.look as look';
'require shareagent.words as words';

const MOST_AT_ONCE = 100;

return view.extend({
	handleSave: null,
	handleSaveApply: null,
	handleReset: null,

	load() {
		return Promise.all([ bus.situation(), bus.has('pass_list') ]).then(([ situation, known ]) =>
			(situation.trouble || !known ? [ situation, known ] : bus.ask('pass_list').then((list) => [ situation, known, list ])));
	},

	render(data) {
		const body = E('div', {}, this.parts(data));

		this.refresh = () => this.load().then((fresh) => look.replace(body, this.parts(fresh)));

		return look.page(_('Pass codes'),
			_('Codes that guests type in instead of paying with a wallet. Whoever has a code can surf with it: print it, hand it out, do not publish it.'),
			body);
	},

	parts([ situation, known, list ]) {
		if (situation.trouble)
			return [ look.trouble(situation.trouble) ];

		if (!known)
			return [ look.banner('warn', _('This version of ShareAgent cannot make pass codes'), [ _('Upgrade the package “shareagent” to use them.') ]) ];

		return [ look.section(_('Make codes'), ...this.maker()), look.section(_('Codes'), this.table(list)) ];
	},

	table(list) {
		return look.table([ _('Code'), _('Worth'), _('State') ], L.toArray(list.value?.passes).map((pass) => [
			E('code', { 'class': 'sa-code' }, [ String(pass.code ?? '–') ]),
			words.ssp(pass.value_units),
			String(pass.state ?? '–')
		]), list.why === 'denied' ? _('Your login may not see codes.') : _('There are no codes yet.'));
	},

	maker() {
		const count = E('input', { 'type': 'text', 'class': 'cbi-input-text', 'value': '10', 'aria-label': _('How many') });
		const worth = E('input', { 'type': 'text', 'class': 'cbi-input-text', 'value': '5', 'aria-label': _('Worth in SSP') });
		const warning = E('p', { 'class': 'sa-small', 'role': 'alert' }, []);

		return [
			E('p', {}, [ _('How many'), ' ', count ]),
			E('p', {}, [ _('Worth of each in SSP'), ' ', worth ]),
			warning,
			look.button(_('Make codes'), 'add', () => {
				const wrong = [
					count.value === '' ? _('Enter how many.') : kinds.integer(1, MOST_AT_ONCE)(null, count.value),
					worth.value === '' ? _('Enter what a code is worth.') : kinds.ssp('0.0001', '1000000')(null, worth.value)
				].find((verdict) => verdict !== true);

				if (wrong)
					return look.replace(warning, [ wrong ]);

				return bus.ask('pass_create', Number(count.value), kinds.unitsOf(worth.value)).then((answer) => (answer.value
					? this.refresh()
					: look.complain(_('The router refused. The log on the page Diagnostics says why.'))));
			})
		];
	}
});
