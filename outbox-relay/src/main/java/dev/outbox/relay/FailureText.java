package dev.outbox.relay;

import dev.outbox.internal.Causes;
import java.util.Objects;

/** Why a message failed, in words that every store can keep and an operator can read. */
final class FailureText {
    private static final int MAX_LENGTH = 1000;

    private FailureText() {}

    static String of(Throwable failure) {
        StringBuilder reason = new StringBuilder(describe(failure));
        Throwable cause = Causes.of(failure);
        for (int depth = 0; cause != null && depth < 5 && reason.length() < MAX_LENGTH; depth++) {
            reason.append("; caused by ").append(describe(cause));
            cause = Causes.of(cause);
        }
        return clean(reason);
    }

    /** What a failure says of itself is foreign code too, and may fail. */
    private static String describe(Throwable failure) {
        try {
            return Objects.requireNonNull(failure.toString());
        } catch (Throwable e) {
            return failure.getClass().getName();
        }
    }

    private static String clean(StringBuilder text) {
        if (text.length() > MAX_LENGTH) {
            text.setLength(MAX_LENGTH - 1);
            text.append('…');
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
            } else if (c == 0 || Character.isSurrogate(c)) {
                text.setCharAt(i, '\uFFFD');
            }
        }
        return text.toString();
    }
}
