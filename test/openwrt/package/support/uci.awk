# See uci. Lines of the state: config TYPE 'NAME', option KEY 'VALUE', list KEY 'VALUE'.
function unquote(text) { sub(/^[^']*'/, "", text); sub(/'$/, "", text); return text }
function is_section() { return $1 == "config" }
function save(  i) {
	printf "" > FILENAME
	for (i = 1; i <= count; i++) if (line[i] != "") print line[i] > FILENAME
	close(FILENAME)
}
function insert(after, text,  i) {
	for (i = count; i > after; i--) line[i + 1] = line[i]
	line[after + 1] = text
	count++
}
BEGIN {
	command = ENVIRON["COMMAND"]; package = ENVIRON["PACKAGE"]
	section = ENVIRON["SECTION"]; option = ENVIRON["OPTION"]; value = ENVIRON["VALUE"]
	if (match(section, /^@[a-z-]+\[0\]$/)) { wanted_type = substr(section, 2, RLENGTH - 4); section = "" }
}
/^[ \t]*(#|$)/ { next }
{ count++; line[count] = $0 }
is_section() {
	name = $0 ~ /'/ ? unquote($0) : "cfg" ++anonymous
	if (wanted_type == $2 && section == "") section = name
	type[name] = $2; last[name] = count; first[name] = count; current = name
	order[++sections] = name
	next
}
{
	key = $2; last[current] = count
	text = unquote($0)
	if (($1 == "list") && ((current, key) in values)) {
		joined[current, key] = joined[current, key] " " text
		values[current, key] = values[current, key] " '" text "'"
	} else {
		joined[current, key] = text; values[current, key] = "'" text "'"
		keys[current] = keys[current] (keys[current] == "" ? "" : " ") key
	}
}
END {
	if (command == "get") {
		if (!(section in type)) exit 1
		if (option == "") { print type[section]; exit 0 }
		if (!((section, option) in joined)) exit 1
		print joined[section, option]
		exit 0
	}
	if (command == "show") {
		for (i = 1; i <= sections; i++) {
			name = order[i]
			print package "." name "=" type[name]
			n = split(keys[name], key_list, " ")
			for (k = 1; k <= n; k++) print package "." name "." key_list[k] "=" values[name, key_list[k]]
		}
		exit 0
	}
	if (command == "delete") {
		if (!(section in type)) exit 1
		if (option == "") { for (i = first[section]; i <= last[section]; i++) line[i] = ""; save(); exit 0 }
		if (!((section, option) in joined)) exit 1
		for (i = first[section]; i <= last[section]; i++) { split(line[i], word, " "); if (word[2] == option && word[1] != "config") line[i] = "" }
		save()
		exit 0
	}
	if (command == "set" && option == "") {
		if (!(section in type)) { insert(count, "config " value " '" section "'"); save() }
		exit 0
	}
	if (!(section in type)) { print "uci: Invalid argument" > "/dev/stderr"; exit 1 }
	if (command == "set" && ((section, option) in joined)) {
		for (i = first[section]; i <= last[section]; i++) { split(line[i], word, " "); if (word[2] == option && word[1] != "config") line[i] = "option " option " '" value "'" }
	} else if (command == "set") insert(last[section], "option " option " '" value "'")
	else if (command == "add_list") insert(last[section], "list " option " '" value "'")
	else { print "uci stand-in: " command " is not known here" > "/dev/stderr"; exit 2 }
	save()
}
