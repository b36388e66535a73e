package dev.outbox.relay;

import dev.outbox.OutboxException;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How the rounds of a relay went last. Safe for use by several threads. Taking note needs no memory, since that may be
 * just what is wrong.
 */
final class RelayHealth {
    private volatile long goodRoundMillis;
    private volatile long troubleMillis;
    private volatile @Nullable Throwable trouble;

    void saw(RoundResult result) {
        OutboxException error = result.storeError();
        if (error == null) {
            goodRoundMillis = System.currentTimeMillis();
        } else {
            trouble(error);
        }
    }

    void trouble(Throwable failure) {
        troubleMillis = System.currentTimeMillis();
        trouble = failure;
    }

    @Nullable
    Instant lastGoodRound() {
        long millis = goodRoundMillis;
        return millis == 0 ? null : Instant.ofEpochMilli(millis);
    }

    RelayState.@Nullable Trouble lastTrouble() {
        Throwable failure = trouble;
        return failure == null
                ? null
                : new RelayState.Trouble(Instant.ofEpochMilli(troubleMillis), FailureText.of(failure), failure);
    }
}
