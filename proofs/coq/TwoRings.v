(** * The two-ring family A+- and the lifting theorem (Theorem B, general form)

    An environment of the family has two rings of atoms of one species,
    U_p = (r cos p, r sin p, z) and L_p = (r cos (p + psi), r sin (p + psi), -z) for the angles p of a list,
    and any number of atoms on the axis, each of any species.  A- has the axis atoms at negated heights.

    Idea of the lifting.  Let H be the half turn about the horizontal axis at azimuth psi / 2.  It negates
    heights on the axis and maps U_p to L_(-p) and L_p to U_(-p).  So a rotation-invariant function of some
    axis atoms of A+ and the ring atoms at angles p_1 .. p_m takes the value it has for the axis atoms of A-
    and the angles -p_1 .. -p_m.  As a function of the angles alone it is unchanged when all angles are
    shifted (rotation about the axis), hence its sum over the m-tuples of the ring only sees the ring's
    m-deck: if that is the deck of the mirrored ring, the sums over A+ and A- agree.  Tuples without an axis
    atom are common to both.  A tuple of k + 1 atoms with an axis atom has at most k ring atoms. *)

Require Import Reals Lra List Permutation Arith Lia.
Import ListNotations.
From Symtrip Require Import Space Environments TupleSums.
Open Scope R_scope.

Section Labelled.
Context {label : Type}.

Notation atom := (@atom label).

Definition axis (a : label * R) : atom := (fst a, V 0 0 (snd a)).
Definition negate (a : label * R) : label * R := (fst a, - snd a).

Section Family.
Variables (s : label) (r z psi : R).

Definition upper (p : R) : atom := (s, V (r * cos p) (r * sin p) z).
Definition lower (p : R) : atom := (s, V (r * cos (p + psi)) (r * sin (p + psi)) (- z)).

Definition two_rings (angles : list R) (heights : list (label * R)) : list atom :=
  map upper angles ++ map lower angles ++ map axis heights.

(** ** What rotations do to the atoms *)

Lemma rot_z_axis a h : move (rot_z a) (axis h) = axis h.
Proof. unfold move, axis; simpl. f_equal. app_compute; ring. Qed.

Lemma rot_z_upper a p : move (rot_z a) (upper p) = upper (a + p).
Proof.
  unfold move, upper; simpl. f_equal. rewrite cos_plus, sin_plus.
  app_compute; ring.
Qed.

Lemma rot_z_lower a p : move (rot_z a) (lower p) = lower (a + p).
Proof.
  unfold move, lower; simpl. f_equal. replace (a + p + psi) with (a + (p + psi)) by ring.
  rewrite (cos_plus a), (sin_plus a). app_compute; ring.
Qed.

Lemma half_turn_axis a h : move (half_turn a) (axis h) = axis (negate h).
Proof. unfold move, axis; simpl. f_equal. app_compute; ring. Qed.

Lemma half_turn_upper a p : move (half_turn (a + psi)) (upper p) = lower (a - p).
Proof.
  unfold move, upper, lower; simpl. f_equal. replace (a - p + psi) with (a + psi - p) by ring.
  rewrite (cos_minus (a + psi)), (sin_minus (a + psi)). app_compute; ring.
Qed.

Lemma half_turn_lower a p : move (half_turn (a + psi)) (lower p) = upper (a - p).
Proof.
  unfold move, upper, lower; simpl. f_equal. replace (a - p) with (a + psi - (p + psi)) by ring.
  rewrite (cos_minus (a + psi)), (sin_minus (a + psi)). app_compute; ring.
Qed.

(** ** Slots: which kind of atom stands at each place of a tuple *)

Inductive slot := Ring (is_upper : bool) | Axis (a : label * R).

Definition ring_atom (is_upper : bool) := if is_upper then upper else lower.

Fixpoint fill (slots : list slot) (angles : list R) : list atom :=
  match slots, angles with
  | Axis a :: slots, _ => axis a :: fill slots angles
  | Ring b :: slots, p :: angles => ring_atom b p :: fill slots angles
  | _, _ => []
  end.

Definition is_ring (x : slot) := match x with Ring _ => true | Axis _ => false end.
Definition ring_count (slots : list slot) := length (filter is_ring slots).
Definition slots_of (heights : list (label * R)) := Ring true :: Ring false :: map Axis heights.

Lemma tsum_two_rings n f angles heights :
  tsum n f (two_rings angles heights) =
  tsum n (fun slots => tsum (ring_count slots) (fun t => f (fill slots t)) angles) (slots_of heights).
Proof.
  revert f; induction n; intro f; simpl; trivial.
  unfold two_rings at 2. rewrite !lsum_app, !lsum_map.
  assert (ring : forall b,
    lsum (fun p => tsum n (fun t => f (ring_atom b p :: t)) (two_rings angles heights)) angles =
    tsum n (fun slots => tsum (ring_count (Ring b :: slots)) (fun t => f (fill (Ring b :: slots) t)) angles)
      (slots_of heights)).
  { intro b. rewrite tsum_lsum, (lsum_ext _ _ _ (fun p _ => IHn (fun t => f (ring_atom b p :: t)))).
    simpl. rewrite <- lsum_exchange. apply lsum_ext; intros p _. rewrite tsum_lsum. reflexivity. }
  f_equal; [exact (ring true)|]. f_equal; [exact (ring false)|].
  apply lsum_ext; intros a _. apply (IHn (fun t => f (axis a :: t))).
Qed.

(** ** The half turn exchanges the rings and the sign of the heights *)

Definition flip (x : slot) := match x with Ring b => Ring (negb b) | Axis a => Axis a end.
Definition lower_axis (x : slot) := match x with Ring b => Ring b | Axis a => Axis (negate a) end.

Lemma half_turn_fill slots t :
  map (move (half_turn psi)) (fill slots t) = fill (map lower_axis (map flip slots)) (map Ropp t).
Proof.
  revert t; induction slots as [|[b|a] slots IH]; intro t; simpl; trivial.
  - destruct t as [|p t]; simpl; trivial. rewrite <- IH. f_equal.
    replace psi with (0 + psi) at 1 by ring. unfold ring_atom.
    destruct b; simpl; rewrite ?half_turn_upper, ?half_turn_lower; f_equal; ring.
  - rewrite half_turn_axis, IH; trivial.
Qed.

Lemma rot_z_fill a slots t :
  map (move (rot_z a)) (fill slots t) = fill slots (map (Rplus a) t).
Proof.
  revert t; induction slots as [|[b|h] slots IH]; intro t; simpl; trivial.
  - destruct t as [|p t]; simpl; trivial. rewrite <- IH. f_equal.
    destruct b; [apply rot_z_upper | apply rot_z_lower].
  - rewrite rot_z_axis, IH; trivial.
Qed.

Lemma ring_count_flip slots : ring_count (map flip slots) = ring_count slots.
Proof. unfold ring_count; induction slots as [|[b|a] slots IH]; simpl; auto. Qed.

Lemma ring_count_lower slots : ring_count (map lower_axis slots) = ring_count slots.
Proof. unfold ring_count; induction slots as [|[b|a] slots IH]; simpl; auto. Qed.

Lemma lower_axis_rings slots : forallb is_ring slots = true -> map lower_axis slots = slots.
Proof.
  induction slots as [|[b|a] slots IH]; simpl; intro H; [trivial | | discriminate].
  rewrite IH; trivial.
Qed.

Lemma ring_count_axis slots :
  forallb is_ring slots = false -> (S (ring_count slots) <= length slots)%nat.
Proof.
  unfold ring_count. induction slots as [|[b|a] slots IH]; simpl; intro H; [discriminate | |].
  - apply IH in H; lia.
  - apply le_n_S. clear. induction slots as [|x slots IH]; simpl; trivial. destruct (is_ring x); simpl; lia.
Qed.

Lemma forallb_flip slots : forallb is_ring (map flip slots) = forallb is_ring slots.
Proof. induction slots as [|[b|a] slots IH]; simpl; auto. Qed.

End Family.
End Labelled.

(** ** Decks of a ring

    Two angles are the same direction when they differ by full turns.  A function of angles that sees only
    directions and their rotation class is what a deck can evaluate. *)

Definition same_direction (p q : R) := cos p = cos q /\ sin p = sin q.

Definition shift_invariant (g : list R -> R) :=
  (forall a t, g (map (Rplus a) t) = g t) /\ (forall t u, Forall2 same_direction t u -> g t = g u).

(** The ring and its mirror image have the same m-decks for all m <= k. *)
Definition mirror_decks (k : nat) (angles : list R) :=
  forall m, (m <= k)%nat -> forall g, shift_invariant g ->
  tsum m (fun t => g (map Ropp t)) angles = tsum m g angles.

Lemma fill_shift_invariant {label} (s : label) r z psi f slots :
  invariant f -> shift_invariant (fun t => f (fill s r z psi slots t)).
Proof.
  intro H; split.
  - intros a t. rewrite <- rot_z_fill. apply H, rot_z_rotation.
  - intros t u E. f_equal. revert t u E.
    induction slots as [|[b|h] slots IH]; intros t u E; simpl; trivial.
    + destruct E as [|p q t u [C S] E]; trivial. f_equal; [|apply IH, E].
      destruct b; unfold ring_atom, upper, lower; rewrite ?cos_plus, ?sin_plus, C, S; trivial.
    + f_equal. apply IH, E.
Qed.

Theorem lifting {label : Type} (s : label) r z psi angles heights k f :
  mirror_decks k angles -> invariant f ->
  tsum (S k) f (two_rings s r z psi angles heights) =
  tsum (S k) f (two_rings s r z psi angles (map negate heights)).
Proof.
  intros D H. rewrite !tsum_two_rings.
  set (F := fun slots : list slot => tsum (ring_count slots) (fun t => f (fill s r z psi slots t)) angles).
  (* A tuple pattern with an axis atom in A+ has the sum of the flipped pattern in A-. *)
  assert (turn : forall slots, (length slots = S k)%nat -> forallb is_ring slots = false ->
                 F slots = F (map lower_axis (map flip slots))).
  { intros slots L A. unfold F. rewrite ring_count_lower, ring_count_flip.
    transitivity (tsum (ring_count slots)
      (fun t => f (fill s r z psi (map lower_axis (map flip slots)) (map Ropp t))) angles).
    - apply tsum_ext; intros t _ _. rewrite <- half_turn_fill. symmetry. apply H, half_turn_rotation.
    - apply (D (ring_count slots)) with (g := fun t => f (fill s r z psi (map lower_axis (map flip slots)) t)).
      + apply ring_count_axis in A. lia.
      + apply fill_shift_invariant, H. }
  assert (lower_slots : slots_of (map negate heights) = map lower_axis (slots_of heights)).
  { unfold slots_of; simpl. do 2 f_equal. rewrite !map_map. reflexivity. }
  assert (flip_slots : Permutation (map flip (slots_of heights)) (slots_of heights)).
  { unfold slots_of; simpl. rewrite map_map; simpl. apply perm_swap. }
  rewrite lower_slots, tsum_map.
  (* Split both sides into patterns with and without an axis atom. *)
  set (G := fun slots => F (map lower_axis slots)).
  set (w := fun slots : list (@slot label) => indicator (forallb is_ring slots)).
  assert (split : forall K, tsum (S k) K (slots_of heights) =
     tsum (S k) (fun x => w x * K x) (slots_of heights) +
     tsum (S k) (fun x => (1 - w x) * K x) (slots_of heights)).
  { intro K. rewrite <- tsum_plus. apply tsum_ext; intros; ring. }
  rewrite (split F), (split G). f_equal.
  - apply tsum_ext; intros x _ _. unfold w, G.
    destruct (forallb is_ring x) eqn:E; [rewrite lower_axis_rings; trivial | simpl; ring].
  - rewrite <- (tsum_permutation _ (fun x => (1 - w x) * G x) _ _ flip_slots), tsum_map.
    apply tsum_ext; intros x L _. unfold w, G. rewrite forallb_flip.
    destruct (forallb is_ring x) eqn:E; [simpl; ring|]. rewrite turn; trivial.
Qed.

(** The same for every shorter tuple: all invariants of order <= k + 1 agree. *)
Corollary lifting_up_to {label : Type} (s : label) r z psi angles heights k n f :
  mirror_decks k angles -> (n <= S k)%nat -> invariant f ->
  tsum n f (two_rings s r z psi angles heights) =
  tsum n f (two_rings s r z psi angles (map negate heights)).
Proof.
  intros D L H. destruct n as [|n]; [reflexivity|].
  apply lifting; trivial. intros m Lm. apply D. lia.
Qed.

Print Assumptions lifting.
Print Assumptions lifting_up_to.
