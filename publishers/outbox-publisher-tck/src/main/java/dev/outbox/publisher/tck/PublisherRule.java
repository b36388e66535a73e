package dev.outbox.publisher.tck;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A rule of the contract of publishers. The rules are read from {@code docs/SPEC.md}. The build puts a copy of it next
 * to this class.
 *
 * @param id as in {@code OBX-PUB-1}
 * @param sentence what a publisher must do
 * @param intent what the rule protects
 * @param check where to look when it is broken
 * @param tested whether the suite has a test of it
 */
record PublisherRule(String id, String sentence, String intent, String check, boolean tested) {
    private static final Pattern ENTRY = Pattern.compile(
            "^### (OBX-PUB-\\d+) \\(MUST\\)\n+(.+?)\n\n\\*Intent\\.\\* (.+?)\n\n"
                    + "\\*If this fails, check\\* (.+?)\n(\n\\*Not tested:\\* .+?\n)?(?=\n#)",
            Pattern.MULTILINE | Pattern.DOTALL);

    private static final Pattern VERSION = Pattern.compile("^Version (\\d+\\.\\d+)\\.", Pattern.MULTILINE);

    /** Every rule of publishers by its id, in the order of the text. */
    static final Map<String, PublisherRule> ALL = parse(text());

    private static Map<String, PublisherRule> parse(String text) {
        Map<String, PublisherRule> rules = new LinkedHashMap<>();
        Matcher entry = ENTRY.matcher(text);
        while (entry.find()) {
            rules.put(
                    entry.group(1),
                    new PublisherRule(
                            entry.group(1),
                            oneLine(entry.group(2)),
                            oneLine(entry.group(3)),
                            oneLine(entry.group(4)),
                            entry.group(5) == null));
        }
        return Collections.unmodifiableMap(rules);
    }

    /** The version of the text, as in {@code 1.0}. */
    static String version() {
        Matcher version = VERSION.matcher(text());
        if (!version.find()) {
            throw new IllegalStateException("SPEC.md has no version.");
        }
        return version.group(1);
    }

    private static String text() {
        try (InputStream in = PublisherRule.class.getResourceAsStream("SPEC.md")) {
            if (in == null) {
                throw new IllegalStateException("SPEC.md is not next to " + PublisherRule.class + ".");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).replace("\r\n", "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String oneLine(String text) {
        return text.replaceAll("\\s+", " ").strip();
    }
}
