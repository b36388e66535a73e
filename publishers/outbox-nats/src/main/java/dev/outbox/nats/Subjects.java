package dev.outbox.nats;

import org.jspecify.annotations.Nullable;

/** The rules of subjects. */
final class Subjects {
    private Subjects() {}

    /** What is wrong with a subject to publish to, or null. */
    static @Nullable String fault(@Nullable String subject) {
        if (subject == null || subject.isEmpty()) {
            return "it is " + (subject == null ? "null" : "empty");
        }
        if (subject.startsWith(".") || subject.endsWith(".") || subject.contains("..")) {
            return "a part between two dots is empty";
        }
        for (int i = 0; i < subject.length(); i++) {
            char c = subject.charAt(i);
            if (c == '*' || c == '>') {
                return "it has a wildcard";
            }
            if (c <= ' ' || c >= 127) {
                return "it has a blank, or a character that is not in ASCII";
            }
        }
        return null;
    }

    /** Whether a subject is one of those that a pattern stands for. */
    static boolean matches(String pattern, String subject) {
        String[] wanted = pattern.split("\\.", -1);
        String[] tokens = subject.split("\\.", -1);
        for (int i = 0; i < wanted.length; i++) {
            if (wanted[i].equals(">")) {
                return tokens.length > i;
            }
            if (i >= tokens.length || !wanted[i].equals("*") && !wanted[i].equals(tokens[i])) {
                return false;
            }
        }
        return tokens.length == wanted.length;
    }
}
