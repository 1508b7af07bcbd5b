// Stand-in of ucode's module fs: an init script that is there, and a system log of 230 lines.
export function access(path, mode) {
	return global.world.installed && path == '/etc/init.d/shareagent' && mode == 'x';
};

export function popen(command, mode) {
	let next = 0;

	global.commands ??= [];
	push(global.commands, command);

	return {
		read: function(what) {
			return next < 230 ? sprintf('line %d %s\n', ++next, next == 230 ? global.world.long : '') : null;
		},
		close: function() {
			return 0;
		}
	};
};
