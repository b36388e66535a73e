package dev.outbox.conformance;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/** The lines of text in documents and in the comments of Java, without code. */
final class Prose {
    private static final Set<String> OTHER_FOLDERS = Set.of("target", "node_modules", "test");
    private static final Pattern INLINE_CODE = Pattern.compile("`[^`]*`|\\{@code [^}]*}?");
    private static final Pattern TARGET = Pattern.compile("\\]\\([^)]*\\)");
    private static final Pattern ONE_WORD = Pattern.compile("^\\W*\\S+$");
    private static final int INDENT_OF_CODE = 4;

    private Prose() {}

    /**
     * A line of text.
     *
     * @param text the line as it is, without blanks at its ends
     * @param words the line without code and the targets of links
     * @param length how many characters a reader sees, without the targets of links; 0 where the line cannot be wrapped
     */
    record Line(Path file, int number, String text, String words, int length) {}

    /** All lines of text below a folder: of its Markdown, and of the Java in the folders {@code main}. */
    static List<Line> below(Path root) throws IOException {
        List<Line> lines = new ArrayList<>();
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                String name = folder.equals(root) ? "" : folder.getFileName().toString();
                // .github has Markdown; the other hidden folders belong to tools.
                boolean skipped = OTHER_FOLDERS.contains(name) || (name.startsWith(".") && !name.equals(".github"));
                return skipped ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                String name = file.getFileName().toString();
                if (name.endsWith(".md")) {
                    lines.addAll(markdown(file, Files.readString(file)));
                } else if (name.endsWith(".java")) {
                    lines.addAll(comments(file, Files.readString(file)));
                }
                return FileVisitResult.CONTINUE;
            }
        });
        return lines;
    }

    /** The lines of a document outside its blocks of code. */
    static List<Line> markdown(Path file, String document) {
        List<Line> lines = new ArrayList<>();
        boolean code = false;
        boolean afterText = false;
        int number = 0;
        for (String line : document.lines().toList()) {
            number++;
            String text = line.strip();
            if (text.startsWith("```")) {
                code = !code;
            } else if (!code && (afterText || indent(line) < INDENT_OF_CODE)) {
                boolean wraps = !text.startsWith("|") && !text.startsWith("<!--");
                lines.add(line(file, number, line, wraps));
                // A line that is indented and follows text goes on with it: code needs an empty line before it.
                afterText = !text.isEmpty();
            }
        }
        return lines;
    }

    /** The lines of a source that have a comment, with nothing but the comment. */
    static List<Line> comments(Path file, String source) {
        String[] lines = blankCode(source).split("\n", -1);
        List<Line> comments = new ArrayList<>();
        for (int i = 0; i < lines.length; i++) {
            if (!lines[i].isBlank()) {
                comments.add(line(file, i + 1, lines[i].stripTrailing(), true));
            }
        }
        return comments;
    }

    private static Line line(Path file, int number, String line, boolean wraps) {
        String text = line.strip();
        String shown = TARGET.matcher(line).replaceAll("]");
        String words = INLINE_CODE.matcher(shown).replaceAll("`");
        return new Line(
                file, number, text, words, wraps && !ONE_WORD.matcher(text).find() ? shown.length() : 0);
    }

    /** The source with a blank for each character that is in no comment. */
    private static String blankCode(String source) {
        StringBuilder text = new StringBuilder(source.length());
        int at = 0;
        while (at < source.length()) {
            int end = end(source, at);
            boolean comment = source.startsWith("//", at) || source.startsWith("/*", at);
            for (; at < end; at++) {
                char c = source.charAt(at);
                text.append(comment || c == '\n' ? c : ' ');
            }
        }
        return text.toString();
    }

    /** Where the comment, the literal or the single character ends that begins here. */
    private static int end(String source, int at) {
        if (source.startsWith("//", at)) {
            return after(source, "\n", at) - 1;
        }
        if (source.startsWith("/*", at)) {
            return after(source, "*/", at + 2);
        }
        if (source.startsWith("\"\"\"", at)) {
            return after(source, "\"\"\"", at + 3);
        }
        char quote = source.charAt(at);
        if (quote != '"' && quote != '\'') {
            return at + 1;
        }
        int end = at + 1;
        while (source.charAt(end) != quote) {
            end += source.charAt(end) == '\\' ? 2 : 1;
        }
        return end + 1;
    }

    private static int after(String source, String end, int from) {
        int found = source.indexOf(end, from);
        return found < 0 ? source.length() : found + end.length();
    }

    private static int indent(String line) {
        return line.length() - line.stripLeading().length();
    }
}
