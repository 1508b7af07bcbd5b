'use strict';
'require baseclass';
'require ui';
'require shareagent.bus as bus';

/* The building blocks of these pages. E() turns a bare string into markup and an array of strings into text: every
   child here is an array, so that a guest's device name stays a name. Colours are the theme's own. */

const CSS = `
.sa-banner { display: flex; flex-wrap: wrap; gap: .5em 1em; align-items: center; padding: .8em 1em; margin: 0 0 1em;
  border-left: .4em solid #888; background: rgba(128, 128, 128, .12); border-radius: 4px; }
.sa-banner > div { flex: 1 1 18em; }
.sa-banner p { margin: .2em 0 0; }
.sa-banner strong { font-size: 115%; }
.sa-good { border-left-color: #2e9e4f; } .sa-warn { border-left-color: #d98e04; } .sa-bad { border-left-color: #cc3333; }
.sa-cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5em, 1fr)); gap: .8em; margin: 0 0 1.2em; }
.sa-card { padding: .7em .9em; border-radius: 4px; background: rgba(128, 128, 128, .1); }
.sa-card span { display: block; font-size: 90%; opacity: .8; }
.sa-card b { display: block; font-size: 160%; line-height: 1.3; overflow-wrap: anywhere; }
.sa-checks { margin: 0 0 .8em; padding: 0; list-style: none; }
.sa-checks li { margin: 0; padding: .45em 0 .45em 2em; position: relative; border-bottom: 1px solid rgba(128, 128, 128, .2);
  line-height: 1.4; color: inherit; }
.sa-checks li::before { content: attr(data-sign); position: absolute; left: .4em; font-weight: bold; }
.sa-checks .sa-good::before { color: #2e9e4f; } .sa-checks .sa-warn::before { color: #d98e04; } .sa-checks .sa-bad::before { color: #cc3333; }
.sa-checks small { display: block; opacity: .85; font-size: 95%; }
.sa-small { font-size: 90%; opacity: .8; overflow-wrap: anywhere; }
.sa-bar { height: .4em; max-width: 12em; margin-top: .2em; background: rgba(128, 128, 128, .2); border-radius: 2px; }
.sa-bar i { display: block; height: 100%; min-width: 2px; border-radius: 2px; background: #2e9e4f; }
.sa-log { max-height: 30em; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 90%; }
.sa-code { overflow-wrap: anywhere; word-break: break-all; }
.sa-page .cbi-section { margin-bottom: 1.2em; }
.sa-page p { max-width: 60em; }
.sa-page .cbi-value-field input[type=text] { box-sizing: border-box; width: 100%; max-width: 28em; }
.sa-page td .btn, .sa-page .td .btn { margin: .1em .3em .1em 0; white-space: nowrap; }
`;

const TROUBLES = {
	'switched-off': [ 'warn', _('Selling is switched off'),
		_('Guests stay blocked and see no payment page. Check prices and payout address, then switch selling on in the settings.') ],
	stopped: [ 'bad', _('ShareAgent is not running'),
		_('Nothing is sold. Guests who paid keep what they paid for, nobody new gets in. Start it, then look here again.') ],
	crashed: [ 'bad', _('ShareAgent stopped with an error'),
		_('Nothing is sold. Guests who paid keep what they paid for. The end of the log says why it stopped: see Diagnostics.') ],
	silent: [ 'warn', _('ShareAgent is starting, or does not answer'),
		_('This page tries again by itself. If it stays like this for more than a minute, restart it.') ],
	'not-installed': [ 'bad', _('ShareAgent is not installed'),
		_('Only its web pages are there. Install the package “shareagent” (System → Software), then come back.') ],
	'no-plugin': [ 'bad', _('The router does not answer these pages yet'),
		_('After an installation, log out and in again. If that does not help, restart the service “rpcd” (System → Startup).') ],
	denied: [ 'warn', _('Your login may not see this'),
		_('Log out and in again. If that does not help, this user has no right to ShareAgent: log in as root.') ]
};

const LINKS = {
	'switched-off': [ 'settings', _('Open settings') ],
	crashed: [ 'diagnostics', _('Open diagnostics') ]
};

const ACTIONS = {
	stopped: [ 'start', _('Start ShareAgent') ],
	crashed: [ 'restart', _('Restart ShareAgent') ],
	silent: [ 'restart', _('Restart ShareAgent') ]
};

return baseclass.extend({
	page(title, intro, ...parts) {
		return E('div', { 'class': 'sa-page' }, [
			E('style', {}, [ CSS ]),
			E('h2', { 'name': 'content' }, [ title ]),
			E('div', { 'class': 'cbi-map-descr' }, [ intro ]),
			...parts
		]);
	},

	section(title, ...parts) {
		return E('div', { 'class': 'cbi-section' }, [ E('h3', {}, [ title ]), ...parts ]);
	},

	note(text) {
		return E('p', {}, [ text ]);
	},

	/* mood: good, warn, bad */
	banner(mood, title, texts, ...buttons) {
		return E('div', { 'class': 'sa-banner sa-' + mood, 'role': 'status' }, [
			E('div', {}, [ E('strong', {}, [ title ]), ...texts.map((text) => E('p', {}, [ text ])) ]),
			...buttons
		]);
	},

	/* How much of the most, as a bar. */
	bar(part) {
		return E('div', { 'class': 'sa-bar' }, [ E('i', { 'style': 'width:%d%%'.format(Math.round(100 * Math.min(1, part))) }) ]);
	},

	cards(pairs) {
		return E('div', { 'class': 'sa-cards' }, pairs.map(([ label, value ]) =>
			E('div', { 'class': 'sa-card' }, [ E('span', {}, [ label ]), E('b', {}, [ value ]) ])));
	},

	/* Cells are strings or nodes. A placeholder is text. */
	table(titles, rows, placeholder) {
		const cell = (content, i) => E('td', { 'class': 'td left', 'data-title': titles[i] || null },
			Array.isArray(content) ? content : [ content ]);

		return E('table', { 'class': 'table' }, [
			E('tr', { 'class': 'tr table-titles' }, titles.map((title) => E('th', { 'class': 'th left' }, [ title ]))),
			...rows.map((row, i) => E('tr', { 'class': 'tr cbi-rowstyle-%d'.format(i % 2 + 1) }, row.map(cell))),
			...(rows.length ? [] : [ E('tr', { 'class': 'tr placeholder' }, [ E('td', { 'class': 'td' }, [ E('em', {}, [ placeholder ]) ]) ]) ])
		]);
	},

	/* checks: [{ ok, level?, message, fix? }], what is wrong first */
	checks(list) {
		const moodOf = (check) => (check.ok && check.level !== 'warn' ? 'good' : check.level === 'warn' ? 'warn' : 'bad');
		const order = [ 'bad', 'warn', 'good' ];
		const signs = { good: '✓', warn: '!', bad: '✗' };

		if (!list.length)
			return this.note(_('Nothing was checked yet.'));

		return E('ul', { 'class': 'sa-checks' }, list
			.map((check) => [ moodOf(check), check ])
			.sort(([ a ], [ b ]) => order.indexOf(a) - order.indexOf(b))
			.map(([ mood, check ]) => E('li', { 'class': 'sa-' + mood, 'data-sign': signs[mood] }, [
				String(check.message ?? check.check ?? check.name ?? ''),
				...(check.fix && mood !== 'good' ? [ E('small', {}, [ String(check.fix) ]) ] : [])
			])));
	},

	button(label, style, handler) {
		return E('button', {
			'class': 'btn cbi-button cbi-button-' + style,
			'click': ui.createHandlerFn(this, handler),
			'disabled': L.hasViewPermission() === false ? true : null
		}, [ label ]);
	},

	link(page, label) {
		return E('a', { 'class': 'btn cbi-button', 'href': L.url('admin/services/shareagent', page) }, [ label ]);
	},

	/* What is wrong, why that is not the end of the world, and what to do. */
	trouble(kind) {
		const [ mood, title, text ] = TROUBLES[kind];
		const buttons = [];

		if (LINKS[kind])
			buttons.push(this.link(...LINKS[kind]));

		if (ACTIONS[kind])
			buttons.push(this.serviceButton(...ACTIONS[kind]));

		return this.banner(mood, title, [ text ], ...buttons);
	},

	serviceButton(action, label) {
		return this.button(label, action === 'stop' ? 'negative' : 'action', () => bus.ask('action', action).then((answer) => {
			if (answer.value?.ok)
				return this.say(_('Done. It may take a few seconds until this page shows it.'));

			return this.complain(answer.why === 'denied'
				? _('Your login may not start or stop services.')
				: _('That did not work. The log on the page Diagnostics says why.'));
		}));
	},

	ask(title, parts, label, style, handler) {
		ui.showModal(title, [
			...parts,
			E('div', { 'class': 'right' }, [
				E('button', { 'class': 'btn', 'click': ui.hideModal }, [ _('Cancel') ]),
				' ',
				E('button', { 'class': 'btn cbi-button cbi-button-' + style, 'click': ui.createHandlerFn(this, handler) }, [ label ])
			])
		]);
	},

	say(text) {
		ui.addNotification(null, E('p', {}, [ text ]), 'info');
	},

	complain(text) {
		ui.addNotification(null, E('p', {}, [ text ]), 'danger');
	},

	replace(node, parts) {
		L.dom.content(node, parts);
	},

	/* As replace(), but never under the keyboard: somebody who has tabbed to a button keeps it. */
	refresh(node, parts) {
		if (!node.contains(document.activeElement))
			L.dom.content(node, parts);
	}
});
