package dev.outbox.tck;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The contract, read from its one text {@code docs/SPEC.md}, a copy of which the build puts beside this class.
 *
 * @param id as in {@code OBX-TX-1}
 * @param sentence what a store must or should do
 * @param intent what the rule protects
 * @param check where to look when it is broken
 * @param untested why no test carries the rule, or null
 */
record Spec(
        String id,
        String sentence,
        String intent,
        String check,
        @Nullable String untested) {
    private static final Pattern ENTRY = Pattern.compile(
            "^### (OBX-[A-Z]+-\\d+) \\((?:MUST|SHOULD)\\)\n+(.+?)\n\n\\*Intent\\.\\* (.+?)\n\n"
                    + "\\*If this fails, check\\* (.+?)\n(?:\n\\*Not tested:\\* (.+?)\n)?(?=\n#|\\z)",
            Pattern.MULTILINE | Pattern.DOTALL);

    private static final Map<String, Spec> RULES = parse(text());

    /** Every rule by its id, in the order of the text. */
    static Map<String, Spec> rules() {
        return RULES;
    }

    /** The rule of an id that is in the text, as the tests check. */
    static Spec of(String id) {
        Spec rule = RULES.get(id);
        if (rule == null) {
            throw new IllegalStateException("docs/SPEC.md has no rule " + id);
        }
        return rule;
    }

    static String text() {
        try (InputStream in = Spec.class.getResourceAsStream("SPEC.md")) {
            if (in == null) {
                throw new IllegalStateException("SPEC.md is not beside " + Spec.class + "; the build copies it there.");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).replace("\r\n", "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Map<String, Spec> parse(String text) {
        Map<String, Spec> rules = new LinkedHashMap<>();
        Matcher entry = ENTRY.matcher(text);
        while (entry.find()) {
            @Nullable String untested = entry.group(5);
            Spec rule = new Spec(
                    entry.group(1),
                    oneLine(entry.group(2)),
                    oneLine(entry.group(3)),
                    oneLine(entry.group(4)),
                    untested == null ? null : oneLine(untested));
            if (rules.put(rule.id(), rule) != null) {
                throw new IllegalStateException("docs/SPEC.md has rule " + rule.id() + " twice");
            }
        }
        return Collections.unmodifiableMap(rules);
    }

    private static String oneLine(String text) {
        return text.replaceAll("\\s+", " ").strip();
    }
}
