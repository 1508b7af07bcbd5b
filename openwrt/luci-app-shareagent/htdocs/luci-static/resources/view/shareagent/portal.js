'use strict';
'require view';
'require form';
'require shareagent.kinds as kinds';
'require shareagent.look as look';

return view.extend({
	render() {
		const m = new form.Map('shareagent');
		const intro = _('The page that opens by itself on a guest’s phone: guests choose, pay and see there what is left.');
		const s = m.section(form.NamedSection, 'portal', 'portal', _('Look'));

		let o = s.option(form.Value, 'name', _('Name'), _('What guests read at the top of the page, for example the name of your café.'));
		o.placeholder = 'SSP WiFi';
		o.validate = kinds.label(32);

		const a = m.section(form.NamedSection, 'portal', 'portal', _('Address'),
			_('Leave this as it is unless something else on the router needs the name or the port.'));

		o = a.option(form.Value, 'host', _('Name in the address bar'), _('Guests’ browsers show it. The router resolves it to itself.'));
		o.placeholder = 'portal.lan';
		o.validate = kinds.host();

		o = a.option(form.Value, 'port', _('Port'), _('A free TCP port of this router.'));
		o.placeholder = '2080';
		o.validate = kinds.integer(1024, 65535);

		return m.render().then((node) => look.page(_('Guest page'), intro, node));
	}
});
