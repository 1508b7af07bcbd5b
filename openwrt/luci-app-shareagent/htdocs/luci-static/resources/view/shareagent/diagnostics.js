'use strict';
'require view';
'require shareagent.bus as bus';
'require shareagent.look as look';
'require shareagent.words as words';

return view.extend({
	handleSave: null,
	handleSaveApply: null,
	handleReset: null,

	load() {
		return Promise.all([ bus.situation(), bus.ask('doctor'), bus.ask('log') ]);
	},

	render(data) {
		const body = E('div', {}, this.parts(data));
		const again = () => this.load().then((fresh) => look.replace(body, this.parts(fresh)));

		return look.page(_('Diagnostics'),
			_('What the router checks about itself, each fault with what to do. Send this page along when you ask for help; it names no guest’s key and no secret, but guests’ devices.'),
			E('p', {}, [ look.button(_('Check again'), 'action', again) ]),
			body);
	},

	parts([ situation, doctor, log ]) {
		return [
			...(situation.trouble ? [ look.trouble(situation.trouble) ] : []),
			...(doctor.value ? [ look.section(_('Checks'), look.checks(L.toArray(doctor.value.checks))) ] : []),
			...(situation.service ? [ this.service(situation) ] : []),
			look.section(_('End of the log'), this.log(log))
		];
	},

	service({ service, status }) {
		const facts = [
			service.running ? _('The service runs.') : _('The service does not run.'),
			service.boot ? _('It starts with the router.') : _('It does not start with the router.'),
			status ? _('Version %s, running for %s.').format(String(status.version), words.duration(status.uptime_s)) : ''
		];

		return look.section(_('Service'), look.note(facts.join(' ')), E('p', {}, [
			service.running ? '' : look.serviceButton('start', _('Start')), ' ',
			service.running ? look.serviceButton('restart', _('Restart')) : '', ' ',
			service.running ? look.serviceButton('stop', _('Stop')) : '', ' ',
			service.boot
				? look.serviceButton('disable', _('Do not start with the router'))
				: look.serviceButton('enable', _('Start with the router'))
		]), look.note(_('Stopping frees nobody: who did not pay stays blocked, who paid keeps what was paid for. A restart cuts nobody off.')));
	},

	log(log) {
		const lines = L.toArray(log.value?.lines).map(String);

		if (!lines.length)
			return look.note(log.value?.readable === false || !log.value
				? _('The system log cannot be read here. On the command line: logread -e shareagent')
				: _('There are no messages of ShareAgent in the log.'));

		return E('pre', { 'class': 'sa-log' }, [ lines.join('\n') ]);
	}
});
