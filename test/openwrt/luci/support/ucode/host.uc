// What rpcd does with a plugin: loads it, then calls its methods. ARGV: the plugin's file, then a world as JSON.
global.UBUS_STATUS_INVALID_ARGUMENT = 2;
global.UBUS_STATUS_NOT_FOUND = 4;
global.world = json(ARGV[1]);

let long = '';
for (let i = 0; i < 100; i++)
	long += '0123456789';
global.world.long = long;

const ran = [];
global.system = function(command) {
	push(ran, command);
	return command[1] == 'enabled' && !global.world.boot ? 1 : 0;
};

const methods = loadfile(ARGV[0])()['luci.shareagent'];
const action = (name) => methods.action.call({ args: { name } });
const log = methods.log.call({ args: {} });

printf('%J\n', {
	methods: keys(methods),
	service: methods.service.call({ args: {} }),
	started: action('start'),
	hostile: map([ 'start; reboot', '../../sbin/reboot', '', null, 0, [ 'start' ] ], action),
	ran,
	log: { lines: length(log.lines), first: log.lines[0], longest: length(log.lines[199]), readable: log.readable },
	commands: global.commands
});
