package dev.outbox.tck.internal.explore;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * Finds a sequence that is as short as possible, has numbers as small as possible, and still goes wrong. It leaves
 * steps out, many at a time at first, then makes numbers smaller, until neither helps or the time is over.
 */
final class Shrinker {
    private final Predicate<List<Step>> goesWrong;
    private final long deadline;
    private int tries;

    Shrinker(Predicate<List<Step>> goesWrong, long deadline) {
        this.goesWrong = goesWrong;
        this.deadline = deadline;
    }

    int tries() {
        return tries;
    }

    List<Step> shrink(List<Step> steps) {
        List<Step> now = steps;
        while (true) {
            List<Step> shorter = withSmallerNumbers(withFewerSteps(now));
            if (shorter.equals(now) || isOver()) {
                return shorter;
            }
            now = shorter;
        }
    }

    private boolean isOver() {
        return System.nanoTime() - deadline > 0;
    }

    private boolean stillGoesWrong(List<Step> steps) {
        if (isOver()) {
            return false;
        }
        tries++;
        return goesWrong.test(steps);
    }

    private List<Step> withFewerSteps(List<Step> steps) {
        List<Step> now = steps;
        for (int size = Math.max(1, now.size() / 2); ; size = Math.max(1, size / 2)) {
            boolean shortened = false;
            for (int from = Math.max(0, now.size() - size); from >= 0; ) {
                List<Step> shorter = new ArrayList<>(now);
                shorter.subList(from, Math.min(now.size(), from + size)).clear();
                if (shorter.size() < now.size() && stillGoesWrong(shorter)) {
                    now = shorter;
                    shortened = true;
                }
                from = from == 0 ? -1 : Math.max(0, from - size);
            }
            if (size == 1 && !shortened || isOver()) {
                return now;
            }
        }
    }

    private List<Step> withSmallerNumbers(List<Step> steps) {
        List<Step> now = new ArrayList<>(steps);
        for (int i = 0; i < now.size(); i++) {
            boolean again = true;
            while (again && !isOver()) {
                again = false;
                for (Step smaller : now.get(i).smaller()) {
                    List<Step> changed = new ArrayList<>(now);
                    changed.set(i, smaller);
                    if (stillGoesWrong(changed)) {
                        now = changed;
                        again = true;
                        break;
                    }
                }
            }
        }
        return now;
    }
}
