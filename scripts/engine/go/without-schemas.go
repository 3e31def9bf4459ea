package cloud

// In place of upstream's schema.go, which renders the schemas that spec.go reads: without-cloud-api.go.

func mdInline(text string) string { return text }

func markdownEnumTail([]string) string { return "" }
