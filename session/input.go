package session

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// text is a scenario: a JSON string with its text, or a JSON object, whose text is its own.
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	if raw[0] == '{' {
		*t = text(raw)
		return nil
	}
	return json.Unmarshal(raw, (*string)(t))
}

// settings are "KEY=VALUE", as --set takes them: a list of them, or an object, whose values
// are strings as they stand behind --set, or what else JSON has.
type settings []string

func (s *settings) UnmarshalJSON(raw []byte) error {
	if raw[0] != '{' {
		return json.Unmarshal(raw, (*[]string)(s))
	}
	members, err := ordered(raw)
	for _, m := range members {
		*s = append(*s, m.key+"="+plain(m.value))
	}
	return err
}

// variations are "KEY=VALUES", as --vary takes them: an object of keys and their values, a
// list or a range.
type variations []string

func (v *variations) UnmarshalJSON(raw []byte) error {
	members, err := ordered(raw)
	if err != nil {
		return err
	}
	for _, m := range members {
		values := plain(m.value)
		if m.value[0] == '[' {
			var list []json.RawMessage
			if err := json.Unmarshal(m.value, &list); err != nil {
				return err
			}
			all := make([]string, len(list))
			for i, item := range list {
				if all[i] = plain(item); strings.ContainsAny(all[i], `,"'`) && item[0] == '"' {
					all[i] = string(item) // quoted, so that it is one value
				}
			}
			values = strings.Join(all, ",")
		}
		*v = append(*v, m.key+"="+values)
	}
	return nil
}

// plain is a value as --set takes it: strings without their quotes.
func plain(raw json.RawMessage) string {
	var s string
	if raw[0] == '"' && json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// member is a key of an object with its value.
type member struct {
	key   string
	value json.RawMessage
}

// ordered are the members of an object, in their order: the last key of a sweep varies
// fastest.
func ordered(raw []byte) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("an object of keys and values was expected, not %.20s", raw)
	}
	var all []member
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := member{key: key.(string)}
		if err := d.Decode(&m.value); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}
