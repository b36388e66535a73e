package dev.outbox.store.jooq.internal.dialect;

import org.jspecify.annotations.Nullable;

/** A row that is no message of ours: another program has written it, or changed it. Says what is wrong with it. */
public final class UnreadableRow extends Exception {
    private static final long serialVersionUID = 1;

    UnreadableRow(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
