package dev.outbox.tck.internal.report;

import dev.outbox.Capabilities;
import org.jspecify.annotations.Nullable;

/**
 * What is tested.
 *
 * @param store the name of the store's class
 * @param harness the name of the harness's class
 * @param backend what the store runs on, with its version, or null if the harness does not say
 */
public record TestedStore(
        String store, String harness, @Nullable String backend, Capabilities capabilities) {}
