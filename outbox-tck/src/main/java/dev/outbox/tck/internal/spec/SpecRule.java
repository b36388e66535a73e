package dev.outbox.tck.internal.spec;

import dev.outbox.Capability;
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
 * A rule of the contract. The rules are read from {@code docs/SPEC.md}. The build puts a copy of it next to this class.
 *
 * @param id as in {@code OBX-TX-1}
 * @param section the heading it stands under
 * @param must whether every store keeps it; otherwise a store should
 * @param provisional the version of the contract in which it was new and not binding yet, or null if it binds
 * @param capability what a store may do without, so that it refuses what the rule says, or null
 * @param sentence what a store must or should do
 * @param intent what the rule protects
 * @param check where to look when it is broken
 * @param untested why no test carries the rule, or null
 */
public record SpecRule(
        String id,
        String section,
        boolean must,
        @Nullable String provisional,
        @Nullable Capability capability,
        String sentence,
        String intent,
        String check,
        @Nullable String untested) {
    private static final Pattern ENTRY = Pattern.compile(
            "^### (OBX-[A-Z]+-\\d+) \\((MUST|SHOULD)(?:, provisional since (\\d+\\.\\d+))?\\)\n+"
                    + "(?:\\[([A-Z_]+)\\]\\s+)?(.+?)\n\n\\*Intent\\.\\* (.+?)\n\n"
                    + "\\*If this fails, check\\* (.+?)\n(?:\n\\*Not tested:\\* (.+?)\n)?(?=\n#|\\z)",
            Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern VERSION = Pattern.compile("^Version (\\d+\\.\\d+)\\.", Pattern.MULTILINE);

    /** Begins the chapter of the text whose rules are not about stores. */
    private static final String OF_PUBLISHERS = "\n# The contract of a publisher\n";

    private static final String VERSION_OF_TEXT = version(text());
    private static final Map<String, SpecRule> RULES = parse(text().split(OF_PUBLISHERS, 2)[0]);

    /** Every rule of stores by its id, in the order of the text. */
    public static Map<String, SpecRule> rules() {
        return RULES;
    }

    /** The version of the contract, as in {@code 1.0}. */
    public static String version() {
        return VERSION_OF_TEXT;
    }

    /** The rule of an id that is in the text, as the tests check. */
    public static SpecRule of(String id) {
        SpecRule rule = RULES.get(id);
        if (rule == null) {
            throw new IllegalStateException("docs/SPEC.md has no rule " + id);
        }
        return rule;
    }

    /** Whether a store that breaks it is not conformant. */
    public boolean binding() {
        return must && provisional == null;
    }

    public static String text() {
        try (InputStream in = SpecRule.class.getResourceAsStream("SPEC.md")) {
            if (in == null) {
                throw new IllegalStateException(
                        "SPEC.md is not beside " + SpecRule.class + "; the build copies it there.");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).replace("\r\n", "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static String version(String text) {
        Matcher version = VERSION.matcher(text);
        if (!version.find()) {
            throw new IllegalStateException("docs/SPEC.md has no line that starts with 'Version 1.0.'");
        }
        return version.group(1);
    }

    public static Map<String, SpecRule> parse(String text) {
        Map<String, SpecRule> rules = new LinkedHashMap<>();
        Matcher entry = ENTRY.matcher(text);
        while (entry.find()) {
            @Nullable String capability = entry.group(4);
            @Nullable String untested = entry.group(8);
            SpecRule rule = new SpecRule(
                    entry.group(1),
                    section(text, entry.start()),
                    entry.group(2).equals("MUST"),
                    entry.group(3),
                    capability == null ? null : Capability.valueOf(capability),
                    oneLine(entry.group(5)),
                    oneLine(entry.group(6)),
                    oneLine(entry.group(7)),
                    untested == null ? null : oneLine(untested));
            if (rules.put(rule.id(), rule) != null) {
                throw new IllegalStateException("docs/SPEC.md has rule " + rule.id() + " twice");
            }
        }
        return Collections.unmodifiableMap(rules);
    }

    private static String section(String text, int position) {
        int start = text.lastIndexOf("\n## ", position) + 4;
        return text.substring(start, text.indexOf('\n', start));
    }

    private static String oneLine(String text) {
        return text.replaceAll("\\s+", " ").strip();
    }
}
