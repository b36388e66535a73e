package dev.outbox.internal;

/** Which names a topic can have. */
public final class TopicNames {
    /** The most characters of one. */
    public static final int MAX_LENGTH = 200;

    private TopicNames() {}

    /** Whether a message can have this topic (OBX-INPUT-1). */
    public static boolean isName(String topic) {
        return !topic.isEmpty() && topic.length() <= MAX_LENGTH && topic.chars().allMatch(TopicNames::fits);
    }

    private static boolean fits(int c) {
        return c >= 'a' && c <= 'z'
                || c >= 'A' && c <= 'Z'
                || c >= '0' && c <= '9'
                || c == '.'
                || c == '_'
                || c == '-'
                || c == '/'
                || c == ':';
    }
}
