/** Each idea that several stores rest on, once, with its proof and its tests. */
@NullMarked
package dev.outbox.store.support;

import org.jspecify.annotations.NullMarked;
